import { expect, test } from 'vitest';
import { change } from '#lib/kube/manifest.ts';
import type { AnyLab, Declaration, Ended, Look } from './declare.ts';
import { falsify, survived } from './falsify.ts';
import type { Judgement, Outcome } from './outcome.ts';
import { gatherWitnesses } from './witnesses.ts';

type World = AnyLab & { broken: boolean; stuck?: boolean };

const passed: Judgement = { verdict: 'passed' };
const red = /expected 'broken'/;

/** A claim about a world that its falsifier breaks, and what came of falsifying it. */
async function falsified(
  { without = false, ...over }: Partial<Declaration<World>> & { without?: boolean } = {},
  world: World = { features: new Set(), broken: false },
) {
  const usual: Declaration<World> = {
    falsifier: () => {
      world.broken = true;
      return change('the world broken', async () => {
        world.broken = world.stuck ?? false;
      });
    },
    red,
    proof: () => undefined,
  };
  const declaration = { ...(without ? { proof: usual.proof } : usual), ...over };
  const state = (): Judgement =>
    world.broken ? { verdict: 'failed', reason: "expected 'broken' to be 'whole'" } : passed;
  const look: Look<World> = async ({ given }, meanwhile): Promise<Ended> => {
    const made = await given?.(world);
    const judgement = state();
    if (made) await meanwhile?.();
    await made?.undo();
    return { judgement };
  };
  const witnesses = gatherWitnesses({ rest: 200, again: 200 });
  witnesses.add('cluster.sees-it', async () => state());
  witnesses.add('cluster.sees-nothing', async () => passed);
  witnesses.add('cluster.always-red', async () => ({ verdict: 'failed', reason: 'never green' }));
  witnesses.add('cluster.one', async () => state());
  await witnesses.rest();
  const outcome: Outcome = { id: 'cluster.one', standsOn: 'cluster', within: 1, evidence: [], waits: [] };
  const { judgement } = await falsify(declaration, look, outcome, witnesses);
  return { judgement, seen: outcome.falsified };
}

test('green, red for the stated reason, green: killed, and it is told what went red with it', async () => {
  const { judgement, seen } = await falsified();
  expect(judgement).toEqual(passed);
  expect(seen).toMatchObject({
    breaks: 'cluster',
    change: 'the world broken',
    broken: { verdict: 'failed' },
    after: passed,
    witnesses: ['cluster.sees-it', 'cluster.sees-nothing'],
    alsoRed: ['cluster.sees-it'],
  });
  expect(seen).not.toHaveProperty('survived');
  expect(seen).not.toHaveProperty('notRestored');
});

test('the layer that is broken may be another than that of the claim', async () => {
  expect((await falsified({ breaks: 'machines' })).seen?.breaks).toBe('machines');
});

test('what is red with nothing broken is not falsified', async () => {
  const { judgement, seen } = await falsified({}, { features: new Set(), broken: true });
  expect(judgement.verdict).toBe('failed');
  expect(seen?.broken).toBeUndefined();
});

test('without a falsifier it is not killed', async () => {
  const { judgement, seen } = await falsified({ without: true });
  expect(judgement.verdict).toBe('failed');
  expect(seen?.survived).toContain('It has no falsifier');
});

test.each<[string, Partial<Declaration<World>>, string]>([
  [
    'a falsifier that breaks nothing',
    { falsifier: () => change('nothing', async () => undefined) },
    'It stayed green',
  ],
  ['another reason', { red: /timeout/ }, 'It was red for another reason than /timeout/'],
])('%s: survived', async (_, over, why) => {
  const { judgement, seen } = await falsified(over);
  expect(seen?.survived).toContain(why);
  expect(judgement).toMatchObject({ verdict: 'failed', reason: expect.stringContaining(why) as string });
});

test('red without a stated reason, or broken, is not killed', () => {
  expect(survived({ verdict: 'failed', reason: 'red' })).toContain('does not state for what reason');
  expect(survived({ verdict: 'broken', reason: 'no route' }, /no route/)).toContain(
    'broken instead of failed',
  );
  expect(
    survived({ verdict: 'failed', reason: 'expected { …(1) }' }, /'deep'/, "{ at: 'deep' }"),
  ).toBeUndefined();
});

test('what cannot be broken here says why, and nothing is broken', async () => {
  const { judgement, seen } = await falsified({ unfalsifiable: 'it takes another architecture' });
  expect(judgement).toEqual(passed);
  expect(seen).toMatchObject({ unfalsifiable: 'it takes another architecture' });
  expect(seen?.broken).toBeUndefined();
});

test('what stays broken after the undo is not restored', async () => {
  const { judgement, seen } = await falsified({}, { features: new Set(), broken: false, stuck: true });
  expect(seen?.survived).toBeUndefined();
  expect(seen?.notRestored).toContain('It was not green again after the undo');
  expect(judgement.verdict).toBe('failed');
});

test('what went red with it and stays red is not restored either', async () => {
  const witnesses = gatherWitnesses({ rest: 200, again: 200 });
  let slow: Judgement = passed;
  witnesses.add('cluster.slow', async () => slow);
  await witnesses.rest();
  slow = { verdict: 'failed', reason: 'still down' };
  await expect(witnesses.greenAgain(['cluster.slow'])).rejects.toThrow('cluster.slow: still down');
});
