import { expect, test } from 'vitest';
import { restartLine, restartsIn } from './restarts.ts';

const death = (at: string) => ({
  node: 'k3s-master',
  program: 'etcd',
  at,
  ranMs: 9000,
  signal: 9,
  said: 'bye',
});
const claim = (id: string, startedAt: string, durationMs: number) => ({ id, startedAt, durationMs });

test('what ended in a run is told with the claims that were being looked at', () => {
  const before = death('2026-01-02T03:00:00.000Z');
  const within = death('2026-01-02T03:04:10.000Z');
  const claims = [
    claim('vm.long', '2026-01-02T03:04:06.000Z', 9000),
    claim('vm.over', '2026-01-02T03:04:06.000Z', 3000),
    { id: 'vm.never', durationMs: 0 },
  ];

  const found = restartsIn([before, within], new Date('2026-01-02T03:04:05.000Z'), claims);

  expect(found).toEqual([{ ...within, claims: ['vm.long'] }]);
  expect(found.map(restartLine)).toEqual([
    '03:04:10 etcd on k3s-master ended by signal KILL after 9.0 s (bye), while vm.long was looked at',
  ]);
});

test('a claim that was looked at again because of an end is among those it disturbed', () => {
  const died = death('2026-01-02T03:04:06.000Z');
  const said = 'etcd on k3s-master ended by signal KILL after 9.0 s (bye)';
  const claims = [
    { ...claim('vm.after', '2026-01-02T03:04:08.000Z', 1000), disturbedBy: [said] },
    { ...claim('vm.later', '2026-01-02T03:04:20.000Z', 1000), disturbedBy: ['kubelet on k3s-master ended'] },
  ];

  const [found] = restartsIn([died], new Date('2026-01-02T03:04:05.000Z'), claims);

  expect(found?.claims).toEqual(['vm.after']);
});
