import type { Output } from '#lib/base/command.ts';
import { inNamespaces } from './namespaces.ts';
import { firstLine, type Asked, type Check, type Finding } from './finding.ts';
import type { Host } from './host.ts';
import { mendModules } from './modules.ts';
import { kubeRouter, policyRules, triedRules, triedSet, type TriedRule } from './netfilter-rules.ts';

type Variant = 'nft' | 'legacy';

/** Says so once it is inside; the lock of iptables-legacy is a file in /run. */
const inside = (script: string): string[] =>
  inNamespaces(`mount -t tmpfs tmpfs /run && echo inside || exit 1\n${script}`);

const setMade = `ipset create ${triedSet} hash:ip timeout 0 >/dev/null 2>&1`;

/** Adds all rules at once, as kube-proxy does, in a network namespace that is gone afterwards. */
const atOnce = (variant: Variant): string[] => inside(`${setMade}\nexec iptables-${variant}-restore -w`);

/** Adds the rules on standard input one by one, and says of each, on a line, why it could not be. */
const oneByOne = (variant: Variant): string[] =>
  inside(
    `${setMade}
while read -r rule; do
  if eval "iptables-${variant} -w -t $rule" >/dev/null 2>/run/said; then echo; else echo "no: $(head -n 1 /run/said)"; fi
done`,
  );

/** What is no fault of the rules: that nothing can be done in namespaces is a finding of its own. */
const outside = ({ stdout }: Output, what: string): Finding[] | undefined =>
  stdout.startsWith('inside\n')
    ? undefined
    : [{ what, state: 'unknown', found: 'not looked at, as nothing can be done in namespaces' }];

/** The rules as iptables-restore takes them. */
function restorable(rules: readonly TriedRule[]): string {
  const tables = [...new Set(rules.map(({ table }) => table))];
  return tables
    .map((name) => {
      const lines = rules.filter(({ table }) => table === name).map(({ rule }) => `${rule}\n`);
      return `*${name}\n${lines.join('')}COMMIT\n`;
    })
    .join('');
}

const iptables = (variant: Variant): Check => ({
  what: `rules by iptables-${variant}`,
  when: ({ machinesHere }) => machinesHere,
  takes: ['unshare', 'ipset', `iptables-${variant}`, `iptables-${variant}-restore`],
  root: true,
  look: async (host, asked) => {
    const what = `rules by iptables-${variant}`;
    const wanted = 'those of kube-proxy, Istio and portmap, and with LAB_DISTRIBUTION=k3s kube-router';
    const all = await host.attempt(atOnce(variant), { input: restorable(triedRules) });
    const unseen = outside(all, what);
    if (unseen) return unseen;
    const number = `${String(triedRules.length)} of ${String(triedRules.length)}`;
    if (all.code === 0) return [{ what, state: 'good', found: `${number} kinds can be added` }];
    const state = (await isAsked(host, variant)) ? 'lacking' : 'note';
    const each = await host.attempt(oneByOne(variant), {
      input: triedRules.map(({ table, rule }) => `${table} ${rule}\n`).join(''),
    });
    const answers = each.stdout.split('\n').slice(1, triedRules.length + 1);
    const refused = triedRules
      .map((rule, i) => ({ ...rule, said: (answers[i] ?? 'nothing was said').replace(/^no: /, '') }))
      .filter(({ said }) => said !== '');
    if (refused.length === triedRules.length || refused.length === 0)
      return [{ ...none(host, what, variant, refused[0]?.said ?? all.stderr), state, wanted }];
    return refused.map((rule) => one(host, asked, rule, { what, state }));
  },
});

/** Whether a run uses this variant: what iptables is on this host is nft or legacy, and pods take nft where it works. */
async function isAsked(host: Host, variant: Variant): Promise<boolean> {
  return variant === 'nft' || (await host.attempt(['iptables', '--version'])).stdout.includes('legacy');
}

function none(host: Host, what: string, variant: Variant, said: string): Omit<Finding, 'state'> {
  const modules = {
    nft: ['nf_tables', 'nft_compat', 'nft_chain_nat'],
    legacy: ['iptable_filter', 'iptable_nat', 'iptable_raw'],
  };
  const found = `none can be added (${firstLine(said)})`;
  return { what, found, mend: mendModules(host, modules[variant]) };
}

function one(
  host: Host,
  asked: Asked,
  { module, by, said }: TriedRule & { said: string },
  { what, state }: Pick<Finding, 'what' | 'state'>,
): Finding {
  const k3s = asked.settings.lab.distribution === 'k3s';
  const users = by.filter((user) => user !== kubeRouter || k3s);
  return {
    what,
    state: users.length > 0 ? state : 'note',
    found: `no ${module} (${said})`,
    wanted: users.length > 0 ? `for ${users.join(', ')}` : 'for LAB_DISTRIBUTION=k3s only',
    mend: mendModules(host, [module]),
  };
}

/** The policy engine of an upstream lab adds its rules without iptables. */
const nft: Check = {
  what: 'rules by nft',
  when: ({ machinesHere, settings }) => machinesHere && settings.lab.distribution !== 'k3s',
  takes: ['unshare', 'nft'],
  root: true,
  look: async (host) => {
    const what = 'rules by nft';
    const said = await host.attempt(inside('exec nft -f -'), { input: policyRules });
    const { code, stderr } = said;
    const unseen = outside(said, what);
    if (unseen) return unseen;
    if (code === 0) return [{ what, state: 'good', found: 'those of a network policy can be added' }];
    const found = `those of a network policy are refused (${firstLine(stderr)})`;
    const modules = ['nf_tables', 'nft_ct', 'nft_reject_inet'];
    return [{ what, state: 'lacking', found, mend: mendModules(host, modules) }];
  },
};

export const netfilter: readonly Check[] = [iptables('nft'), iptables('legacy'), nft];
