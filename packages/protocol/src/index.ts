/** The gRPC contract: generated messages, services, server and channel plumbing. */
export {};
