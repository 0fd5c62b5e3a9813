import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Output } from '#lib/base/command.ts';
import type { Declaration, Look } from '#lib/claims/declare.ts';
import { implemented } from '#lib/claims/implemented.ts';
import { judge, notApplicable } from '#lib/claims/outcome.ts';
import type { Lab } from '#lib/layers/lab.ts';
import { anotherDay } from './another-day.ts';
import { mustNotPass } from './inert.ts';
import { standIn, type StandIn } from './stand-in.ts';
import { letStand, onEach, standing } from './standing.ts';
import { empty } from './target.ts';

test('the claims about this repository, which any lab would pass, are these and no others', () => {
  const apart = implemented().filter(({ looksAt }) => looksAt !== undefined);
  expect(apart).toMatchObject([{ id: 'cluster.env-single-source', looksAt: 'repository' }]);
});

beforeEach(async () => {
  await letStand([standIn(empty), standIn(anotherDay)]);
});

afterEach(async () => {
  await letStand([]);
});

describe('a claim that is looked at on labs that are none', () => {
  const look: Look<Lab> = async ({ given, proof }) => {
    try {
      await given?.({} as Lab);
      await proof({} as Lab, (_, value) => value);
      return { judgement: { verdict: 'passed' } };
    } catch (error) {
      return { judgement: judge(error), error };
    }
  };
  const outcome = { id: 'vm.seeded', standsOn: 'apps', within: 1000, evidence: [], waits: [] };
  const looked = async (declaration: Declaration<Lab>) => mustNotPass(declaration, look, outcome);
  const curl = async (): Promise<Output> =>
    standing().vm.attempt(['curl', '-w', '%{http_code}', 'http://app/']);

  test('is as it should be when it fails on each of them', async () => {
    const { judgement } = await looked({
      async proof() {
        expect((await curl()).stdout).toBe('Hello');
      },
    });
    expect(judgement).toEqual({ verdict: 'passed' });
  });

  test('is found out when it takes silence for success, or any answer for the right one', async () => {
    const nothingWrong = await looked({
      async proof() {
        expect((await curl()).stderr).not.toContain('refused');
      },
    });
    expect(nothingWrong.judgement.reason).toMatch(
      /^vm\.seeded passes on the empty lab: .*\n.* the outdated lab: /,
    );
    const anyAnswer = await looked({
      async proof() {
        expect((await curl()).stdout).toMatch(/200$/);
      },
    });
    expect(anyAnswer.judgement.reason).toMatch(/^vm\.seeded passes on the outdated lab: [^\n]*$/);
  });

  test('does not hide behind a situation that cannot be made', async () => {
    const { judgement } = await looked({
      given: () => {
        throw new Error('conflict');
      },
      proof() {
        expect(1).toBe(1);
      },
    });
    expect(judgement.reason).toContain('passes on the empty lab');
  });

  test('does not hide behind a feature', async () => {
    const { judgement } = await looked({ proof: () => notApplicable('k3s', 'it is another one.') });
    expect(judgement.reason).toContain('calls itself not applicable to the empty lab, which lacks nothing.');
  });

  test('may pass when it is about this repository, and then it asks no lab', async () => {
    const about = (proof: Declaration<Lab>['proof']) => looked({ looksAt: 'repository', proof });
    const honest = await about(() => {
      expect(1).toBe(1);
    });
    expect(honest.judgement).toEqual({ verdict: 'passed' });
    const asking = await about(async () => {
      await curl();
    });
    expect(asking.judgement.reason).toContain(
      'says that it looks at this repository, but its proof asks the lab.',
    );
    const failing = await about(() => {
      expect(1).toBe(2);
    });
    expect(failing.judgement.reason).toContain('was failed on the empty lab: expected 1 to be 2');
  });
});

describe('a lab that is none', () => {
  const really = async (words: readonly string[]): Promise<Output> =>
    Promise.resolve({ stdout: `really: ${words.join(' ')}`, stderr: '', code: 0, ms: 0 });
  const each = async (work: (one: StandIn) => Promise<unknown>): Promise<unknown> => onEach(work);

  test('answers what is run in it, and lets the host run what is run there', async () => {
    const words = [
      ['nsenter', '-t', '1', '-m', '-p', '-n', '--', 'uname', '-r'],
      ['bash', '-c', 'true'],
    ];
    const said = each(async ({ command }) =>
      Promise.all(words.map(async (one) => (await command(really)(one)).stdout)),
    );
    expect(await said).toEqual([
      ['', 'really: bash -c true'],
      ['5.15.0-89-generic\n', 'really: bash -c true'],
    ]);
  });

  test('has every feature, and takes whatever is applied without being changed by it', async () => {
    const seen = each(async ({ lab, kube }) => {
      const applied = await kube.apply({ kind: 'Secret', metadata: { name: 'a' } });
      const found = await kube.get({ apiVersion: 'v1', kind: 'WorkloadEntry', name: 'a' });
      return [lab.features.has('anything'), applied.metadata?.name, found?.spec?.['address']];
    });
    expect(await seen).toEqual([
      [true, 'a', undefined],
      [true, 'a', '192.168.64.32'],
    ]);
  });

  test('counts what it is asked, be it where its files are', async () => {
    const counts = each(async ({ lab, vm, asked }) => {
      const before = asked();
      await vm.address();
      await vm.read('/etc/hosts');
      expect(lab.dir).toContain('inert-lab-');
      return asked() - before;
    });
    expect(await counts).toEqual([3, 3]);
  });
});
