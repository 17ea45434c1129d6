/** The admin command line. */
export {};
