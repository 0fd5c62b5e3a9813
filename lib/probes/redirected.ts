import type { Place } from './places.ts';

/** How many connections from elsewhere the redirect rules have handed to the sidecar since they were made. */
export async function redirectedInbound(vm: Place): Promise<number> {
  const words = ['iptables', '-t', 'nat', '--verbose', '--exact', '--numeric', '--list', 'ISTIO_IN_REDIRECT'];
  const { stdout, stderr, code } = await vm.attempt(words);
  const rules = stdout.split('\n').filter((line) => line.includes('REDIRECT') && !line.startsWith('Chain'));
  if (code !== 0 || rules.length === 0)
    throw new Error(`${vm.name} has no rules that redirect inbound connections: ${stderr.trim() || stdout}`);
  return rules.reduce((sum, line) => sum + Number(line.trim().split(/\s+/)[0]), 0);
}
