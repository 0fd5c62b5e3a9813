import { afterAll, expect } from 'vitest';
import { ours } from '#lib/base/deadlines.ts';
import { claims } from '#lib/claims/claim.ts';
import { change, type Change } from '#lib/kube/manifest.ts';
import { ofMachines } from '#lib/layers/lab-command.ts';
import type { Lab } from '#lib/layers/lab.ts';
import { lasting } from '#lib/layers/lasting.ts';
import { secondLab } from '#lib/layers/second-lab.ts';

const claim = claims('01-cluster', { layer: 'cluster' });

// the lab that the other claims stand on is left alone
const second = lasting(secondLab);
afterAll(async () => second.end());

/** `npm run lab` on the second lab, once its cluster stands; its own undo ends it. */
async function commanded(lab: Lab, ...words: string[]): Promise<Change> {
  const standing = await second.given(lab);
  if (!(await second.now().stands())) await second.now().command(['up', 'cluster']);
  await second.now().command(words);
  return standing;
}

/** One more command after those of the claim. */
async function andThen(...words: string[]): Promise<Change> {
  await second.now().command(words);
  return change(words.join(' '), async () => Promise.resolve());
}

const within = ofMachines({ own: ours.claimOfLab, launched: ours.claimOfLaunchedLab });
const machines = ['k3s-master', 'k3s-worker-1', 'k3s-worker-2'];
const ready = machines.map((name) => `${name} True`);

claim('cluster.recreate-flag', {
  requires: ['second-lab'],
  given: async (lab) => commanded(lab, 'up', 'cluster', '--recreate'),
  // without the flag nothing is done to a cluster that stands
  falsifier: async () => andThen('up', 'cluster'),
  red: /the uid of kube-system: expected '[0-9a-f-]+…?' not to be/,
  within,

  proof(_lab, seen) {
    const { before, after, code } = seen('up cluster --recreate', second.now().last());

    expect(code).toBe(0);
    expect(before).toMatchObject({ machines, nodes: ready });
    expect(after).toMatchObject({ machines, nodes: ready });
    expect(after?.uid).toMatch(/^[0-9a-f-]{36}$/);
    expect(after?.uid, 'the uid of kube-system').not.toBe(before?.uid);
  },
});

claim('cluster.delete-flag', {
  requires: ['second-lab'],
  given: async (lab) => commanded(lab, 'down'),
  falsifier: async () => andThen('up', 'cluster'),
  red: /the machines that are left: k3s-master, k3s-worker-1, k3s-worker-2: expected/,
  within,

  async proof(_lab, seen) {
    const { code, after, before, formerApi } = seen('down', second.now().last());
    const left = after?.machines ?? [];

    expect(code).toBe(0);
    expect(left, `the machines that are left: ${left.join(', ')}`).toEqual([]);
    expect(before).toMatchObject({ machines, nodes: ready });
    expect(formerApi).toMatch(/ECONNREFUSED/);
    expect(await second.now().stands()).toBe(false);
  },
});
