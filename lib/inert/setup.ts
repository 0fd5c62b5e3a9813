import { afterAll, beforeAll, vi } from 'vitest';
import { anotherDay } from './another-day.ts';
import { standIn } from './stand-in.ts';
import { letStand, standing } from './standing.ts';
import { perLab } from './per-lab.ts';
import { empty } from './target.ts';

/*
 * Runs the suites as they are, with a stand-in behind each door to the world: programs, machines, the API server, and
 * the door of the claims itself. What is behind them never changes, so no wait takes longer than its looks.
 */
beforeAll(async () => {
  await letStand([standIn(empty), standIn(anotherDay)]);
});

afterAll(async () => {
  await letStand([]);
});

vi.mock(import('#lib/claims/claim.ts'), async () => {
  const { declaring } = await import('#lib/claims/declare.ts');
  const { mustNotPass } = await import('./inert.ts');
  const door = {
    provision: async () => Promise.resolve(),
    attach: async () => Promise.resolve(standing().lab),
  };
  return { claims: declaring(door, undefined, mustNotPass) };
});

vi.mock(import('#lib/base/command.ts'), async (original) => {
  const real = await original();
  const never = (): never => {
    throw new Error('On a lab that is none nothing is started that stays.');
  };
  return {
    ...real,
    attempt: async (words, options) => standing().command(real.attempt)(words, options),
    run: async (words, options) => standing().command(real.run)(words, options),
    spawnDetached: never,
    interactive: never,
  };
});

vi.mock(import('#lib/base/until.ts'), async (original) => {
  const real = await original();
  const { untilLooked } = await import('./until.ts');
  return { ...real, until: untilLooked(real.NotSeenError) };
});

vi.mock(import('#lib/kube/client.ts'), async (original) => ({
  ...(await original()),
  kubeClient: () => standing().kube,
}));

vi.mock(import('#lib/machines/local/vm.ts'), () => ({ vmMachine: () => standing().vm }));

vi.mock(import('#lib/machines/local/node.ts'), () => ({
  nodeMachine: (_lab, plan) => standing().node(plan),
}));

vi.mock(import('#lib/layers/lasting.ts'), async (original) => {
  const { lasting } = await original();
  return { lasting: (make) => perLab(() => lasting(make)) };
});
