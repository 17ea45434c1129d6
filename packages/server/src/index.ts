/** The composition root: a node, an embedded cluster, the millrace command. */
export {};
