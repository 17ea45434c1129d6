/** Doing something soon: after the current event, before time passes. Several events of one turn then share the work. */

export type Defer = (callback: () => void) => void;

export function microtask(callback: () => void): void {
  void Promise.resolve().then(callback);
}
