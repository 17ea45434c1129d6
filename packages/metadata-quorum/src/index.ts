/** The Raft driver and the controller that decides cluster metadata. */
export {};
