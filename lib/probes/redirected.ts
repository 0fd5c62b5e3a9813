import type { Place } from './places.ts';

/** How many connections from elsewhere the redirect rules have handed to the sidecar since they were made. */
export async function redirectedInbound(vm: Place): Promise<number> {
  // rules made by one kind of iptables are not seen by the other
  const list = '-t nat --verbose --exact --numeric --list ISTIO_IN_REDIRECT';
  const shell = `iptables-nft ${list} 2>/dev/null; iptables-legacy ${list} 2>/dev/null; exit 0`;
  const { stdout } = await vm.attempt(['bash', '-c', shell]);
  const rules = stdout.split('\n').filter((line) => /^ *\d+ +\d+ +REDIRECT /.test(line));
  if (rules.length === 0) throw new Error(`${vm.name} has no rules that redirect inbound connections.`);
  return rules.reduce((sum, line) => sum + Number(line.trim().split(/\s+/)[0]), 0);
}
