/** The record batch format: views, builder, checksums, compression. */
export {};
