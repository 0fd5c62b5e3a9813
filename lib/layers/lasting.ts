import { change, type Change } from '#lib/kube/manifest.ts';
import type { Lab } from './lab.ts';

/** A situation that several claims of a file speak of, one after the other. */
export interface Lasting<C extends Change> {
  /** For `given`: made for the first claim that asks, found as it is by those after it. */
  given(lab: Lab): Promise<Change>;
  /** What was made. @throws Error when no claim has been given it */
  now(): C;
  /** For `afterAll` of the file: undoes it, once. */
  end(): Promise<void>;
}

/** Makes a situation last from the first claim of a file that is given it to the end of the file. */
export function lasting<C extends Change>(make: (lab: Lab) => Promise<C>): Lasting<C> {
  let standing: C | undefined;
  return {
    async given(lab) {
      standing ??= await make(lab);
      return change(standing.name, async () => Promise.resolve());
    },
    now() {
      if (!standing) throw new Error('No claim has been given this situation.');
      return standing;
    },
    async end() {
      const made = standing;
      standing = undefined;
      await made?.undo();
    },
  };
}
