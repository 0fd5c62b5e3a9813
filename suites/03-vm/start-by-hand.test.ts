import { afterAll, expect } from 'vitest';
import { ours, theirs } from '#lib/base/deadlines.ts';
import { until } from '#lib/base/until.ts';
import { claims } from '#lib/claims/claim.ts';
import { change } from '#lib/kube/manifest.ts';
import { byHand, type Script } from '#lib/layers/by-hand.ts';
import { hostsAsTheyWere, hostsWithout } from '#lib/layers/hosts-file.ts';
import { lasting } from '#lib/layers/lasting.ts';
import { together } from '#lib/layers/passing.ts';
import { redirectsKept } from '#lib/layers/redirects-kept.ts';
import { connected, endOfLogs, logsSince, says, ttlOf } from '#lib/probes/agent-log.ts';
import { ofIstio, parseSaved } from '#lib/probes/iptables.ts';
import type { Place } from '#lib/probes/places.ts';

const claim = claims('03-vm', { layer: 'workload' });

const issued = 'generated new workload certificate';

const clusterEnv = '/var/lib/istio/envoy/cluster.env';

/** The words as `sudo istio-start.sh` runs them, up to the agent: its log has nowhere to go, so it is not started. */
const upToTheAgent = 'cd / && ISTIO_LOG_DIR=/nonexistent istio-start.sh';

claim('vm.start-cleans-iptables', {
  falsifier: redirectsKept,
  red: /-d 203\.0\.113\.7\/32 -j RETURN/,

  async proof({ vm }, seen) {
    // in a network of its own, where nothing takes notice; the agent asks for an address that is not that of loopback
    const shell = [
      'ip link set lo up; ip address add 192.0.2.1/32 dev lo',
      'save() { iptables-legacy-save -t nat; iptables-nft-save -t nat 2>/dev/null; echo ==; }',
      `grep -v ISTIO_CUSTOM_IP_TABLES ${clusterEnv} >/run/cluster.env`,
      `(export ISTIO_CLUSTER_CONFIG=/run/cluster.env; ${upToTheAgent}) >/dev/null 2>&1; rm /run/cluster.env; save`,
      'for kind in legacy nft; do iptables-$kind -t nat -A ISTIO_OUTPUT -d 203.0.113.7/32 -j RETURN && break; done; save',
      `(${upToTheAgent}) 2>&1; echo ==; save`,
      `set -a; . ${clusterEnv}; pilot-agent istio-iptables --cleanup-only --log_output_level=default:debug 2>&1; echo ==; save`,
    ].join('\n');
    const { stdout } = await vm.run(['unshare', '--net', 'bash', '-c', shell]);
    const [fresh = '', stale = '', said = '', again = '', cleaning = '', cleaned = ''] = stdout.split('==\n');
    const rules = (saved: string): string[] => ofIstio(parseSaved(saved));
    const old = 'IPv4 nat ISTIO_OUTPUT -d 203.0.113.7/32 -j RETURN';

    expect(rules(fresh)).toEqual(expect.arrayContaining(['IPv4 nat PREROUTING -p tcp -j ISTIO_INBOUND']));
    expect(rules(stale)).toEqual(expect.arrayContaining([...rules(fresh), old]));
    expect(said).toContain('/nonexistent/istio.err.log: No such file or directory');
    expect(seen('rules after a start over old ones', rules(again))).toEqual(rules(fresh));

    // which commands those are, the agent says from 1.25 on only when it is asked for details
    const commands = cleaning.split('\n').filter((line) => / -D /.test(line));
    seen('commands of the cleaning', commands);
    expect(commands.some((line) => line.includes('-t nat -D PREROUTING -p tcp -j ISTIO_INBOUND'))).toBe(true);
    expect(commands.some((line) => /-t nat -D OUTPUT (-p tcp )?-j ISTIO_OUTPUT/.test(line))).toBe(true);
    expect(rules(cleaned)).toEqual([]);
  },
});

/** The claims from here on start the sidecar by hand, one after the other; the unit comes back after the last. */
const manual = lasting(byHand);
afterAll(async () => manual.end());

const ofTheAgent = (lines: readonly string[]): string[] =>
  lines.filter((line) => says(line, issued) || says(line, connected));

/** What the agent says of its certificate and of its connection, which it may make more than once. */
const inTheWordsOf = (lines: readonly string[]): (string | RegExp)[] =>
  [issued, connected].filter((words) => lines.some((line) => says(line, words)));

/** Waits until the agent has its certificate and its connection, by what it says somewhere. */
const saying = async (look: () => Promise<string[]>): Promise<string[]> =>
  until('the agent has its certificate and is connected', look, (lines) => inTheWordsOf(lines).length === 2, {
    within: ours.agentSays,
    every: 300,
  });

/** The script that is entered when the article says so. */
const article: { script: Script } = { script: 'repository' };

claim('vm.start-logs-to-terminal', {
  given: manual.given,
  falsifier() {
    article.script = 'package';
    return change("the package's script", async () => {
      article.script = 'repository';
      return Promise.resolve();
    });
  },
  red: /on the terminal of the repository's script: expected \[\]/,
  within: ours.claimWithStarts,

  async proof({ vm }, seen) {
    const before = await endOfLogs(vm);
    const packaged = await manual.now().start('package');
    const logged = await saying(async () => logsSince(vm, before));
    seen("the package's script: in the files", ofTheAgent(logged));
    expect(inTheWordsOf(logged)).toEqual([issued, connected]);
    const silent = await packaged.terminal();
    seen("the package's script: last on the terminal", silent.slice(-2));
    expect(ofTheAgent(silent)).toEqual([]);

    const session = await manual.now().start(article.script);
    const mark = await endOfLogs(vm);
    await saying(async () => [...(await session.terminal()), ...(await logsSince(vm, mark))]);
    const said = await session.terminal();
    seen("on the terminal of the repository's script", ofTheAgent(said));
    expect(inTheWordsOf(said), "on the terminal of the repository's script").toEqual([issued, connected]);
    expect(seen('in the files then', await logsSince(vm, mark))).toEqual([]);
  },
});

/** Istio says that it misses the pair from 1.18 to 1.20. */
const missed = (version: string): string[] =>
  /^1\.(18|19|20)\./.test(version) ? ['etc/certs/cert-chain.pem'] : [];

claim('vm.first-start-keypair-log', {
  async given(lab) {
    const made = await manual.given(lab);
    if (manual.now().session()?.pair !== 'missing') await manual.now().start('repository');
    return made;
  },
  async falsifier() {
    await manual.now().session()?.untilSays(issued);
    await manual.now().start('repository', { keepPair: true });
    return change('a certificate there before the start', async () => {
      await manual.now().start('repository');
    });
  },
  red: /the pair when it was started: expected 'there' to be 'missing'/,
  within: ours.claimWithStarts,

  async proof({ vm, settings }, seen) {
    const session = manual.now().session();
    expect(session?.pair, 'the pair when it was started').toBe('missing');

    const lines = (await session?.untilSays(issued)) ?? [];

    const complaints = lines.flatMap((line) => /Failed to load key pair open (\S+):/.exec(line)?.[1] ?? []);
    expect(seen('files that it misses', complaints)).toEqual(missed(settings.istioVersion));
    const line = lines.find((one) => says(one, issued)) ?? '';
    const ttl = seen('time to live of the certificate, in seconds', ttlOf(line) ?? 0);
    expect(ttl).toBeGreaterThan(24 * 3600 - 60);
    expect(ttl).toBeLessThanOrEqual(24 * 3600);
    await vm.run(['test', '-s', '/etc/certs/cert-chain.pem', '-a', '-s', '/etc/certs/key.pem']);
  },
});

const waits = 'sudo waits for an answer of 127.0.0.53';
const runs = 'the agent runs';

/** Whoever asks the resolver for a name, by their words. */
const asking = [
  'for pid in $(ss --no-header --udp --processes dst 127.0.0.53:53 | grep -o "pid=[0-9]*" | cut -d = -f 2)',
  String.raw`do tr '\0' ' ' <"/proc/$pid/cmdline"; echo; done`,
].join('; ');

/** How far a start has come that is past the redirect rules: the last thing that the script does is sudo to the agent. */
async function beyondTheRules(vm: Place): Promise<string | undefined> {
  const agent = 'pgrep --exact pilot-agent --euid istio-proxy >/dev/null && echo agent';
  const { stdout } = await vm.attempt(['sh', '-c', `${agent}; ${asking}`]);
  if (stdout.startsWith('agent')) return runs;
  return /^sudo .*-u istio-proxy /m.test(stdout) ? waits : undefined;
}

claim('vm.start-hang-rerun', {
  // whoever looks by sudo waits as long as the sudo that is looked at
  requires: ['root-session'],
  given: async (lab) =>
    together(
      async () => manual.given(lab),
      async () => hostsWithout(lab, String.raw`^127\.0\.1\.1 `, "the VM's own name not in /etc/hosts"),
    ),
  falsifier: hostsAsTheyWere,
  red: /expected 'the agent runs' to be 'sudo waits for an answer of 127\.0\.0\.53'/,
  within: ours.claimByHand,

  async proof({ vm }, seen) {
    const comesTo = async (): Promise<string> =>
      (await until(
        'the start is past the redirect rules',
        async () => beyondTheRules(vm),
        (come) => come !== undefined,
        { within: ours.unitState, every: 200 },
      )) ?? '';

    const first = await manual.now().start('repository');
    expect(seen('the first start', await comesTo())).toBe(waits);
    seen('on its terminal', (await first.terminal()).slice(-3));
    await first.interrupt();

    // the rules are there now, so that sudo waits twice: for the script, and at its end for the agent
    const entered = performance.now();
    const again = await manual.now().start('repository', { beside: true });
    const lines = await again.untilSays(issued, ours.agentSaysBySudo);

    const stalled = seen(
      'from the new session to the certificate, in ms',
      Math.round(performance.now() - entered),
    );
    expect(lines.filter((line) => says(line, issued))).toHaveLength(1);
    // it goes on by itself, as the first would have
    expect(stalled).toBeGreaterThan(theirs.resolverGivesUp.ms);
    await first.ended();
    expect((await first.terminal()).filter((line) => says(line, issued))).toEqual([]);
  },
});
