/** Cluster metadata: commands to records to image. Pure. */
export {};
