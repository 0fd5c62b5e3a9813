import { interactive } from '#lib/base/command.ts';
import { messageOf, RefusedError } from '#lib/base/errors.ts';
import { duration, say } from '#lib/base/progress.ts';
import { settings as readSettings } from '#lib/base/settings.ts';
import { hostPackages, missingPackages } from '#lib/artifacts/host-packages.ts';
import { attachLab, type Lab } from '#lib/layers/lab.ts';
import { outcomeOf } from '#lib/layers/layer.ts';
import { ensure, layers } from '#lib/layers/layers.ts';
import { openLabFor } from '#lib/layers/open.ts';
import { closeLab, findLab, keepLab } from '#lib/machines/local/lab.ts';
import { labNames, sweep } from '#lib/machines/local/sweep.ts';

const usage = `npm run lab -- <command>
  doctor              what this machine lacks
  up [layer]          bring the lab up (to a layer), and keep it
  status              which labs and layers stand
  shell <machine>     a shell on k3s-master, k3s-worker-1, k3s-worker-2, or the VM (words after it are run instead)
  logs <machine>      what the machine's programs logged
  down                end the lab
  gc                  remove what labs that no longer stand left behind`;

const commands: Readonly<Record<string, (words: string[]) => Promise<void>>> = {
  async doctor() {
    const missing = missingPackages();
    if (missing.length > 0)
      throw new RefusedError(`Missing Debian packages: apt-get install ${missing.join(' ')}`);
    await hostPackages();
    say('Nothing is missing.');
  },

  async up([layer = 'policy']) {
    const known = layers.find(({ name }) => name === layer);
    if (!known)
      throw new RefusedError(
        `There is no layer ${layer}; there are ${layers.map(({ name }) => name).join(', ')}.`,
      );
    const started = performance.now();
    const { lab } = await openLabFor(readSettings());
    await ensure(known.name, lab);
    await keepLab(lab.dir, true);
    say(
      `Lab ${lab.name} stands after ${duration(performance.now() - started)}. KUBECONFIG=${lab.dir}/kubeconfig works with kubectl.`,
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
    const node = lab.nodes.find((one) => one.name === name);
    if (node) {
      process.exitCode = await interactive([...node.enter(), ...(words.length > 0 ? words : ['bash'])]);
      return;
    }
    const { stdout, stderr, code } = await vmOf(lab, name).attempt(
      words.length > 0 ? words : ['bash', '-s'],
      {
        input: words.length > 0 ? '' : await standardInput(),
      },
    );
    process.stdout.write(stdout);
    process.stderr.write(stderr);
    process.exitCode = code;
  },

  async logs([name]) {
    const lab = await attachLab();
    const node = lab.nodes.find((one) => one.name === name);
    const words = node
      ? ['sh', '-c', 'tail -n 200 /var/log/*.log']
      : ['journalctl', '--no-pager', '-n', '500'];
    process.stdout.write((await (node ?? vmOf(lab, name)).run(words)).stdout);
  },

  async down() {
    const { name } = readSettings().lab;
    await closeLab(name);
    say(`Lab ${name} is gone.`);
  },

  async gc() {
    const swept = await sweep();
    say(swept.length > 0 ? `Removed what was left of: ${swept.join(', ')}` : 'Nothing was left behind.');
  },
};

function vmOf(lab: Lab, name: string | undefined): Lab['vm'] {
  if (name === lab.vm.name || name === 'vm') return lab.vm;
  throw new RefusedError(
    `There is no machine ${name ?? '(none given)'}; there are ${[...lab.nodes, lab.vm].map((one) => one.name).join(', ')}.`,
  );
}

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
