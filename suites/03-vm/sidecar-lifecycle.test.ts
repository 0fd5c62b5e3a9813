import { afterAll, expect } from 'vitest';
import { ours, theirs } from '#lib/base/deadlines.ts';
import { seconds, until } from '#lib/base/until.ts';
import { claims } from '#lib/claims/claim.ts';
import { change, refOf, type Change } from '#lib/kube/manifest.ts';
import { defaultPortOpen } from '#lib/layers/default-port-open.ts';
import { externalAddresses } from '#lib/layers/gateway.ts';
import { generating } from '#lib/layers/generated-files.ts';
import { istiodHost } from '#lib/layers/istiod-host.ts';
import { otherClusterEnv } from '#lib/layers/other-cluster-env.ts';
import type { Lab } from '#lib/layers/lab.ts';
import { lasting } from '#lib/layers/lasting.ts';
import { patched, together } from '#lib/layers/passing.ts';
import { redirectsKept } from '#lib/layers/redirects-kept.ts';
import { createdAt, registeredAfresh } from '#lib/layers/registered-afresh.ts';
import {
  disconnectedAt,
  entriesOf,
  entryLine,
  entryOf,
  killSidecar,
  registered,
  runningSidecar,
  stopSidecar,
} from '#lib/layers/sidecar.ts';
import { withUnitSetting } from '#lib/layers/unit-drop-in.ts';
import { startSidecar } from '#lib/layers/workload.ts';
import { connected, says, logSinceStart, timeOf, untilLogged } from '#lib/probes/agent-log.ts';
import { get, outcomeOf } from '#lib/probes/http.ts';
import { iptablesOf, ofIstio } from '#lib/probes/iptables.ts';
import { unitOf, type Unit } from '#lib/probes/unit.ts';

const claim = claims('03-vm', { layer: 'workload' });

claim('life.we-created-on-connect', {
  given: registeredAfresh,
  async falsifier(lab) {
    const ref = refOf(await registered(lab));
    const group = (name: string) => ({
      metadata: { annotations: { 'istio.io/autoRegistrationGroup': name } },
    });
    const [there, back] = [group('elsewhere'), group(lab.settings.vmApp)];
    return patched(lab, 'an entry that another group registered', { ref, there, back });
  },
  red: /expected 'elsewhere' to be 'external-app'/,

  async proof(lab, seen) {
    const { vmApp, vmNamespace } = lab.settings;
    const group = { apiVersion: 'networking.istio.io/v1', kind: 'WorkloadGroup' };
    const [entry, log, owner] = await Promise.all([
      registered(lab),
      logSinceStart(lab.vm),
      lab.kube.get({ ...group, name: vmApp, namespace: vmNamespace }),
    ]);
    const started = timeOf(log[0] ?? '');
    const joined = timeOf(log.find((line) => connected.test(line)) ?? 'never');
    const created = createdAt(entry);
    seen('seconds from the start to the connection', (joined - started) / 1000);
    seen('seconds from the connection to the entry', (created - joined) / 1000);

    // the API server tells whole seconds
    expect(created).toBeGreaterThan(started - seconds(1));
    expect(created).toBeLessThanOrEqual(joined + ours.entryCreated.ms);
    expect(entry.metadata?.annotations?.['istio.io/autoRegistrationGroup']).toBe(vmApp);
    expect(seen('owners', entry.metadata?.ownerReferences)).toMatchObject([
      // an entry that an earlier group left behind has the uid of that one
      { kind: 'WorkloadGroup', name: vmApp, controller: true, uid: owner?.metadata?.uid },
    ]);
  },
});

/** These end the sidecar and start it, one after the other; it is waited for once, after the last of them. */
const comesBack = lasting(runningSidecar);
afterAll(async () => comesBack.end());

claim('life.unit-restarts', {
  given: async (lab) =>
    together(
      async () => comesBack.given(lab),
      async () => redirectsKept(lab),
    ),
  async falsifier(lab) {
    const setting = await withUnitSetting(lab, 'Restart=no');
    return change(setting.name, async () => {
      await setting.undo();
      await startSidecar(lab);
      await registered(lab);
    });
  },
  red: /expected 'failed failed' to be 'activating auto-restart'/,
  within: ours.claimWithStarts,

  async proof(lab, seen) {
    const { vm } = lab;
    const agent = ['pgrep', '--oldest', '--exact', '--euid', 'istio-proxy', 'pilot-agent'];
    const before = await unitOf(vm, 'istio');
    const killed = seen('the agent that is killed', (await vm.run(agent)).stdout.trim());
    await vm.run(['kill', '-9', killed]);

    const comesTo = async (state: string): Promise<Unit> => {
      const unit = await until(
        `the unit is ${state}, or has failed for good`,
        async () => unitOf(vm, 'istio'),
        (seen) => [state, 'failed failed'].includes(seen.state) && seen.endedAt > before.startedAt,
        { within: ours.unitState, every: 500 },
      );
      expect(unit.state).toBe(state);
      return unit;
    };
    const waiting = await comesTo('activating auto-restart');
    const after = await comesTo('active running');

    // it waits from when ExecStopPost has come to its end
    seen('cleaning up, in ms', Math.round(waiting.changedAt - waiting.endedAt));
    const pause = seen(
      'from then to the new process, in ms',
      Math.round(after.startedAt - waiting.changedAt),
    );
    expect(pause).toBeGreaterThanOrEqual(theirs.unitRestart.ms);
    expect(pause).toBeLessThanOrEqual(theirs.unitRestart.ms + ours.reaction.ms);
    expect(after).toMatchObject({ restart: 'always', restartAfter: '10s', restarts: before.restarts + 1 });
    expect(after.mainPid).not.toBe(before.mainPid);
    await registered(lab, ours.registeredAgain);
    expect(seen('the agent after it', (await vm.run(agent)).stdout.trim())).not.toBe(killed);
  },
});

claim('vm.pilot-address-needed', {
  given: comesBack.given,
  falsifier: defaultPortOpen,
  breaks: 'gateway',
  red: /connected to (delta )?upstream XDS server: istiod-[^ ]*:15012/,
  within: ours.claimWithStarts,

  async proof(lab, seen) {
    const { vm, settings } = lab;
    const [gateway = ''] = await externalAddresses(lab, 'istio-eastwestgateway');
    const istiod = `${istiodHost(lab)}:${String(settings.ports.ewg.istiod)}`;
    await using files = await generating(lab, 'no-fix-pilot', { noFixPilot: true });
    const generated = await files.read('cluster.env');
    expect(generated).not.toContain('PILOT_ADDRESS');
    await using env = await otherClusterEnv(lab);

    // without it Envoy tells only after half a minute why it has no stream
    const talkative = 'ISTIO_AGENT_FLAGS=--log_output_level=default:info,xdsproxy:debug\n';
    const refusal = `dial tcp ${gateway}:15012: connect: connection refused`;
    const either = new RegExp(`${refusal.replaceAll('.', String.raw`\.`)}|${connected.source}`);
    const without = await startedWith(generated + talkative, either, 'generated new workload certificate');

    expect(seen('connected without PILOT_ADDRESS', without(connected))).toEqual([]);
    expect(seen('without PILOT_ADDRESS', without(refusal)[0])).toContain('xdsproxy');
    expect(without('Initializing with upstream address')[0]).toContain(`"${istiodHost(lab)}:15012"`);
    // the CA is reached all the same: its address is fixed
    expect(without('generated new workload certificate')).toHaveLength(1);

    const withIt = await startedWith(`${generated}PILOT_ADDRESS=${istiod}\n`, connected);

    expect(seen('with PILOT_ADDRESS', withIt(connected)[0])).toContain(`upstream XDS server: ${istiod}`);

    /** Starts the sidecar and waits for all of these words; the result picks lines of that start. */
    async function startedWith(content: string, ...words: (string | RegExp)[]) {
      const mark = await env.startWith(content);
      let log: string[] = [];
      for (const word of words) log = await untilLogged(vm, mark, word, ours.agentSays);
      return (part: string | RegExp) => log.filter((line) => says(line, part));
    }
  },
});

const istioRules = async ({ vm }: Lab): Promise<string[]> => ofIstio(await iptablesOf(vm));

claim('life.stop-cleans-iptables', {
  given: async (lab) => {
    const made = await comesBack.given(lab);
    await lab.vm.run(['systemctl', 'start', 'istio']);
    await until(
      'the rules of the sidecar are there',
      async () => istioRules(lab),
      (rules) => rules.length > 0,
      { within: ours.meshLearns, every: 500 },
    );
    return made;
  },
  falsifier: async (lab) => withUnitSetting(lab, 'ExecStopPost='),
  red: /expected \[ .*ISTIO_.*\] to deeply equal \[\]/s,
  within: ours.claimWithStarts,

  async proof(lab, seen) {
    const [gateway = ''] = await externalAddresses(lab, 'istio-eastwestgateway');
    expect(seen('rules before', (await istioRules(lab)).length)).toBeGreaterThan(0);

    await stopSidecar(lab);

    expect(seen('rules after', await istioRules(lab))).toEqual([]);
    // nothing but the VM itself is left to make this connection
    const direct = await get(
      lab.vm,
      `http://${gateway}:${String(lab.settings.ports.ewg.status)}/healthz/ready`,
    );
    expect(seen('a direct connection', outcomeOf(direct))).toBe('200');
  },
});

/** Ended so lately that its entry is still there: by the claim before, or else now. */
async function endedJustNow(lab: Lab): Promise<Change> {
  if (disconnectedAt(await entryOf(lab)) < Date.now() - seconds(5)) {
    await startSidecar(lab);
    await registered(lab);
    await killSidecar(lab);
  }
  return change('the agent ended', async () => {
    await startSidecar(lab);
    await registered(lab);
  });
}

claim('traffic.we-only-while-agent-runs', {
  given: async (lab) =>
    together(
      async () => comesBack.given(lab),
      async () => endedJustNow(lab),
    ),
  async falsifier(lab) {
    if (!(await entryOf(lab))) await endedJustNow(lab);
    const entry = await entryOf(lab);
    if (!entry) throw new Error('The entry of the agent that has just ended is gone already.');
    const held = (finalizers: string[] | null) => ({ metadata: { finalizers } });
    const [there, back] = [held(['conformance.test/held']), held(null)];
    return patched(lab, 'an entry that is not let go', { ref: refOf(entry), there, back });
  },
  red: /the WorkloadEntry is gone.*last look: \[ 'external-app-/s,
  within: ours.claimWithWait,

  async proof(lab, seen) {
    const there = [entryLine(lab, await lab.vm.address())];
    expect(seen('when the agent has just ended', await entriesOf(lab))).toEqual(there);

    const disconnected = await until(
      'istiod has noticed that the VM is disconnected',
      async () => disconnectedAt(await entryOf(lab)),
      (at) => at > 0,
      { within: ours.meshLearns, every: 100 },
    );
    await until(
      'the WorkloadEntry is gone',
      async () => entriesOf(lab),
      (left) => left.length === 0,
      { within: ours.entryGone, every: 100 },
    );
    const gone = seen('gone after the disconnect, in ms', Date.now() - disconnected);
    expect(gone).toBeGreaterThan(theirs.workloadEntryGrace.ms - seconds(0.5));
    expect(gone).toBeLessThan(theirs.workloadEntryGrace.ms + ours.reaction.ms);

    await startSidecar(lab);
    await registered(lab);
    expect(seen('when the agent runs again', await entriesOf(lab))).toEqual(there);
  },
});
