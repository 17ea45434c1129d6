/** The gRPC door: services onto the broker and the controller, and the channels between nodes. */
export {};
