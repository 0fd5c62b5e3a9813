/** How a run ended: not at all (a signal, or an argument that vitest refuses), not begun, with or without a red claim. */
export type Ending = 'none' | 'refused' | 'red' | 'green';

/**
 * The exit status: 0 every applicable claim passed; 1 something failed, broke or was blocked; 2 the run could not
 * start, or was asked for something that does not exist.
 *
 * @param code what vitest would end with; it is made worse, never better
 */
export function exitStatus(ending: Ending, code: number): number {
  const ofSignal = code >= 128;
  if (ofSignal) return code;
  if (ending === 'refused' || ending === 'none') return 2;
  return ending === 'red' ? 1 : code;
}
