import type { Deadline } from '#lib/base/deadline.ts';
import { ours } from '#lib/base/deadlines.ts';
import { minutes } from '#lib/base/until.ts';

/** One step of the trial of a box, in the folder of the project. */
export interface TrialStep {
  title: string;
  words: readonly string[];
  /** Emulated, everything takes some 15 times as long. */
  within: Deadline;
  expectedMs: number;
}

/** What a change of the local provider is tried with on a host of another kind; the VM is left out. */
export const trial: readonly TrialStep[] = [
  {
    title: 'doctor',
    words: ['npm', 'run', '--silent', 'lab', '--', 'doctor'],
    within: ours.boxStep,
    expectedMs: minutes(1.5),
  },
  {
    title: 'layers cluster, istio and gateway',
    words: ['npm', 'run', '--silent', 'lab', '--', 'up', 'gateway'],
    within: ours.boxLayers,
    expectedMs: minutes(12),
  },
  {
    title: 'the claims of suites 1 and 2',
    words: ['npx', 'vitest', 'run', 'suites/01-cluster', 'suites/02-istio'],
    within: ours.boxClaims,
    expectedMs: minutes(40),
  },
  {
    title: 'down',
    words: ['npm', 'run', '--silent', 'lab', '--', 'down'],
    within: ours.boxStep,
    expectedMs: minutes(1),
  },
];

/** What differs between two prints of fixtures/box/host-state.sh, line by line. */
export function changed(before: string, after: string): string[] {
  const [was, is] = [before, after].map((text) => new Set(text.split('\n').filter(Boolean)));
  return [
    ...[...(was ?? [])].filter((line) => !is?.has(line)).map((line) => `- ${line}`),
    ...[...(is ?? [])].filter((line) => !was?.has(line)).map((line) => `+ ${line}`),
  ];
}
