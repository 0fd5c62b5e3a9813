import { expect, test } from 'vitest';
import { failureOf, MultipassError } from './failure.ts';

test.each([
  ['info failed: instance "x" does not exist', 'absent'],
  ['launch failed: instance "x" already exists', 'exists'],
  ['launch failed: The following errors occurred:\nx: timed out waiting for response', 'timed out'],
  [
    'launch failed: The following errors occurred:\ntimed out waiting for initialization to complete',
    'timed out',
  ],
  ['exec failed: instance "x" is not running', 'not running'],
  ['exec failed: instance "x" is deleted', 'not running'],
  [`exec failed: ssh connection failed: 'Failed to connect: No route to host'`, 'unreachable'],
  ['list failed: cannot connect to the multipass socket', 'no service'],
  ['list failed: The client is not authenticated with the Multipass service.', 'not authenticated'],
  ['info failed: The following errors occurred:\ninstance "x" does not exist', 'absent'],
  ['set failed: Cannot update instance settings; instance: x; reason: No such instance', 'absent'],
  ['launch failed: instance "x" is being prepared', 'being prepared'],
  [
    'set failed: Cannot update instance settings; instance: x; reason: instance is being prepared',
    'being prepared',
  ],
  ['Timed out waiting for instance launch.', 'timed out'],
  [`restart failed: The following errors occurred:\nInstance 'x' is not running`, 'not running'],
  [
    `restart failed: Instance 'x' is already running, but in an unknown state.\nTry to stop and start it instead.`,
    'not running',
  ],
  [
    'list failed: multipass socket access denied\nPlease check that you have read/write permissions',
    'no access',
  ],
  ['list failed: The user is not authenticated with the Multipass service.\n\nPlease', 'not authenticated'],
  ['launch failed: Remote "" is unknown or unreachable.', 'other'],
] as const)('"%s" means %s', (stderr, failure) => {
  expect(failureOf({ stderr, stdout: '' })).toBe(failure);
});

test('an error says which command, and what multipass said or that it said nothing', () => {
  const said = { stdout: '', stderr: 'info failed: no', code: 2 };
  expect(new MultipassError('info', said).message).toBe('multipass info: info failed: no');
  expect(new MultipassError('info', { ...said, stderr: '' }).message).toBe(
    'multipass info: exit status 2, without a word',
  );
});
