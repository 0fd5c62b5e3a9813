import type { StandIn } from './stand-in.ts';

let all: readonly StandIn[] = [];
let now: StandIn | undefined;

/** Makes these the labs of this process, one at a time, and removes those of before. */
export async function letStand(standIns: readonly StandIn[]): Promise<void> {
  for (const one of all) one.remove();
  for (const one of standIns) await one.lay();
  all = standIns;
  now = standIns[0];
}

/** The lab behind the doors. @throws Error before there is one */
export function standing(): StandIn {
  if (!now)
    throw new Error('No lab stands in yet: a suite reached for one before its claims were looked at.');
  return now;
}

/** Does the work on each lab in turn. */
export async function onEach<T>(work: (one: StandIn) => Promise<T>): Promise<T[]> {
  const done: T[] = [];
  for (now of all) done.push(await work(now));
  return done;
}
