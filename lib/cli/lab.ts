import { interactive } from '#lib/base/command.ts';
import { messageOf, RefusedError } from '#lib/base/errors.ts';
import { duration, say } from '#lib/base/progress.ts';
import { settings as readSettings } from '#lib/base/settings.ts';
import { examine, isLacking } from '#lib/doctor/examine.ts';
import { report } from '#lib/doctor/finding.ts';
import { here } from '#lib/doctor/host.ts';
import { clientEnv } from '#lib/layers/client-env.ts';
import { askedOf } from '#lib/layers/fit.ts';
import { attachLab } from '#lib/layers/lab.ts';
import { outcomeOf } from '#lib/layers/layer.ts';
import { ensure, layers } from '#lib/layers/layers.ts';
import { endLab, openLabFor } from '#lib/layers/open.ts';
import { asUser, machineOf } from '#lib/layers/shell.ts';
import { deleteVm, recreateVm } from '#lib/layers/vm-anew.ts';
import { findLab, keepLab } from '#lib/machines/local/lab.ts';
import { labNames, sweep } from '#lib/machines/local/sweep.ts';

const usage = `npm run lab -- <command>
  doctor              looks at all that a run would trip over on this machine, and says what mends it
  up [layer]          bring the lab up (to a layer), and keep it; with --recreate the one that stands is ended first
  status              which labs and layers stand
  shell <machine>     a shell on k3s-master, k3s-worker-1, k3s-worker-2, or the VM (words after it are run instead);
                      on the VM it is that of the user ubuntu, who has sudo
  logs <machine>      what the machine's programs logged
  vm --delete         remove the VM; other files stay on disk, and the next \`up\` makes it again
  vm --recreate       remove it with the files generated for it, and make another
  down                end the lab
  gc                  remove what labs that no longer stand left behind`;

const commands: Readonly<Record<string, (words: string[]) => Promise<void>>> = {
  async doctor() {
    const findings = await examine(await askedOf(readSettings()), here());
    process.stdout.write(report(findings));
    if (findings.some(isLacking)) process.exitCode = 2;
  },

  async up(words) {
    const [layer = 'policy', ...more] = words.filter((word) => word !== '--recreate');
    if (more.length > 0 || layer.startsWith('-')) throw new RefusedError(usage);
    const known = layers.find(({ name }) => name === layer);
    if (!known)
      throw new RefusedError(
        `There is no layer ${layer}; there are ${layers.map(({ name }) => name).join(', ')}.`,
      );
    const started = performance.now();
    const { lab } = await openLabFor(readSettings(), { recreate: words.includes('--recreate') });
    await ensure(known.name, lab);
    await keepLab(lab.dir, true);
    say(
      `Lab ${lab.name} stands after ${duration(performance.now() - started)}. \`source ${clientEnv(lab)}\` gives a shell its kubectl and istioctl.`,
    );
  },

  async status() {
    for (const name of labNames()) {
      const lab = await findLab(name);
      say(`${name}: ${lab ? 'stands' : 'left something behind; `npm run lab -- gc` removes it'}`);
      if (!lab) continue;
      for (const layer of layers) {
        const outcome = outcomeOf(lab.dir, layer.name);
        if (outcome)
          say(
            `  ${layer.name}: ${outcome.state} (${duration(outcome.ms)})${outcome.reason ? `, ${outcome.reason}` : ''}`,
          );
      }
    }
  },

  async shell([name, ...words]) {
    const lab = await attachLab();
    const machine = machineOf(lab, name);
    const node = lab.nodes.find((one) => one === machine);
    if (node) {
      process.exitCode = await interactive([...node.enter(), ...(words.length > 0 ? words : ['bash'])]);
      return;
    }
    const { stdout, stderr, code } = await machine.attempt(asUser(words), {
      input: words.length > 0 ? '' : await standardInput(),
    });
    process.stdout.write(stdout);
    process.stderr.write(stderr);
    process.exitCode = code;
  },

  async logs([name]) {
    const lab = await attachLab();
    const machine = machineOf(lab, name);
    const words =
      machine === lab.vm
        ? ['journalctl', '--no-pager', '-n', '500']
        : ['sh', '-c', 'tail -n 200 /var/log/*.log'];
    process.stdout.write((await machine.run(words)).stdout);
  },

  async vm([what]) {
    const lab = await attachLab();
    if (what === '--delete') await deleteVm(lab);
    else if (what === '--recreate') await recreateVm(lab);
    else throw new RefusedError(`vm takes --delete or --recreate, got ${what ?? 'nothing'}.`);
    say(
      `${lab.vm.name} is ${what === '--delete' ? 'removed' : 'another machine'}; \`npm run lab -- up\` brings up what is missing.`,
    );
  },

  async down() {
    const { name } = readSettings().lab;
    await endLab(name);
    say(`Lab ${name} is gone.`);
  },

  async gc() {
    const swept = await sweep();
    say(swept.length > 0 ? `Removed what was left of: ${swept.join(', ')}` : 'Nothing was left behind.');
  },
};

async function standardInput(): Promise<string> {
  let text = '';
  for await (const part of process.stdin) text += String(part);
  return text;
}

const [command = '', ...words] = process.argv.slice(2);
try {
  const wanted = commands[command];
  if (!wanted) throw new RefusedError(usage);
  await wanted(words);
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = error instanceof RefusedError ? 2 : 1;
}
