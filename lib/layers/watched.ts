import { endedIn, endOf, programOf, type EndedProgram } from '#lib/base/ended.ts';
import { messageOf } from '#lib/base/errors.ts';
import { heartbeat } from '#lib/base/heartbeat.ts';
import { say } from '#lib/base/progress.ts';
import { callingOff, seconds } from '#lib/base/until.ts';

/** Who runs this long counts as started well. */
const settledAfter = seconds(10);
/** How often in a row a program may end sooner than that, before nothing is waited for any more. */
const inVain = 5;

/**
 * Does the work of bringing something up in a lab, and looks meanwhile for programs of the lab that end although nobody
 * stopped them: each is told at once. The work's waits are called off when one of them cannot stay up.
 *
 * @param dir the folder of the lab
 * @param note what is told again and again while the work lasts
 * @throws Error of the work, with the programs that ended meanwhile; or what called it off
 */
export async function watched<T>(
  dir: string,
  note: (text: string) => void,
  work: () => Promise<T>,
): Promise<T> {
  const since = Date.now();
  const off = new AbortController();
  let told = 0;
  const look = (): void => {
    const all = endedIn(dir, since);
    for (const one of all.slice(told)) {
      say(`${endOf(one)}; its supervisor starts it again`);
      note(`${endOf(one)}; started again`);
    }
    told = all.length;
    const hopeless = all.find((one) => failsToStart(all, one));
    if (hopeless) off.abort(new Error(gaveUp(all, hopeless)));
  };
  const stop = heartbeat(250, look);
  try {
    return await callingOff(off.signal, work);
  } catch (error) {
    const all = endedIn(dir, since);
    if (off.signal.aborted || all.length === 0) throw error;
    throw new Error(`${messageOf(error)} Meanwhile ${summed(all)}.`, { cause: error });
  } finally {
    stop();
  }
}

/** Whether the last lives of a program, as many as are enough to give up, were all short. */
function failsToStart(all: readonly EndedProgram[], one: EndedProgram): boolean {
  const last = all.filter((other) => programOf(other) === programOf(one)).slice(-inVain);
  return last.length === inVain && last.every(({ ranMs }) => ranMs < settledAfter);
}

const gaveUp = (all: readonly EndedProgram[], one: EndedProgram): string => {
  const lives = all.filter((other) => programOf(other) === programOf(one));
  return `${programOf(one)} does not stay up: it ended ${lives.length} times without running for ${settledAfter / 1000} s. Last, ${endOf(lives.at(-1) ?? one)}.`;
};

/** What ended, each program once with its last end. */
export function summed(all: readonly EndedProgram[]): string {
  const programs = new Map(all.map((one) => [programOf(one), one]));
  return [...programs]
    .map(([name, last]) => {
      const times = all.filter((one) => programOf(one) === name).length;
      return `${endOf(last)}${times > 1 ? `, ${times} times in all` : ''}`;
    })
    .join('; ');
}
