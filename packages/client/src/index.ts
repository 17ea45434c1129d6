/** The Millrace SDK: producer, consumer, admin. */
export {};
