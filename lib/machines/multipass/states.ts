import { seconds } from '#lib/base/until.ts';

/** The states of instances, each as it was told a moment ago at most. */
export interface States {
  /** Such as Running; undefined when there is no such instance. */
  of(name: string): Promise<string | undefined>;
  /** For when it is changed. */
  forget(name: string): void;
}

/**
 * Many commands at once need one question, and a state that was just told need not be asked for again. Only "Running"
 * is remembered: an instance that does not run may do so at any time.
 *
 * @param fresh how old an answer may be, in milliseconds
 */
export function states(
  ask: (name: string) => Promise<string | undefined>,
  { fresh = seconds(2) } = {},
): States {
  const told = new Map<string, { answer: Promise<string | undefined>; until: number }>();
  return {
    of: async (name) => {
      const known = told.get(name);
      if (known && performance.now() < known.until) return known.answer;
      const entry = { answer: ask(name), until: performance.now() + fresh };
      told.set(name, entry);
      const forget = (): void => {
        if (told.get(name) === entry) told.delete(name);
      };
      entry.answer.then((state) => {
        if (state !== 'Running') forget();
      }, forget);
      return entry.answer;
    },
    forget: (name) => {
      told.delete(name);
    },
  };
}
