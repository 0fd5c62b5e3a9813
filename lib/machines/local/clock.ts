import { randomBytes } from 'node:crypto';
import { ours } from '#lib/base/deadlines.ts';
import { seconds } from '#lib/base/until.ts';
import type { AgentPort } from './agent-port.ts';
import { guestAttempt } from './guest-agent.ts';

/**
 * How far a guest's clock is ahead of the host's, in milliseconds. The answer is off by at most half the time that the
 * question took (`within`), a few milliseconds on a machine that has nothing else to do.
 */
export async function clockOffset(agent: AgentPort): Promise<{ aheadMs: number; within: number }> {
  await agent.ask('guest-ping');
  const asked = performance.now();
  const at = Date.now();
  const nanoseconds = await agent.ask<number>('guest-get-time');
  const within = (performance.now() - asked) / 2;
  return { aheadMs: nanoseconds / 1e6 - (at + within), within };
}

/**
 * Makes the guest's clock agree with the host's to a twentieth of a second, or as near as three goes bring it: a
 * command that is slow to run makes the clock late by as much. It is moved by what it is off, not set to a time, so
 * how long the command takes to start does not matter.
 *
 * @throws Error when it is more than a second off afterwards
 */
export async function setClock(agent: AgentPort, name: string): Promise<void> {
  let { aheadMs } = await clockOffset(agent);
  for (let go = 0; go < 3 && Math.abs(aheadMs) > 50; go += 1) {
    const move = `${(-aheadMs / 1000).toFixed(6)} seconds`;
    await guestAttempt(agent, name, ['date', '-u', '-s', move], { within: ours.command });
    ({ aheadMs } = await clockOffset(agent));
  }
  if (Math.abs(aheadMs) > seconds(1)) {
    throw new Error(
      `The clock of ${name} was set and is ${(aheadMs / 1000).toFixed(3)} s ahead of this host's.`,
    );
  }
}

/** Two machines resumed from one snapshot would draw the same keys; this one now draws its own. */
export async function reseed(agent: AgentPort, name: string): Promise<void> {
  // RNDADDENTROPY credits nothing here: the kernel is only told to start anew from its pool (RNDRESEEDCRNG)
  const script =
    'open my $r, "+>", "/dev/urandom" or die; syswrite $r, do { local $/; <STDIN> }; ioctl $r, 0x5207, 0 or die "$!"';
  const { code, stderr } = await guestAttempt(agent, name, ['perl', '-e', script], {
    input: randomBytes(64),
  });
  if (code !== 0) throw new Error(`The random numbers of ${name} could not be reseeded: ${stderr.trim()}`);
}
