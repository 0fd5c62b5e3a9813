import type { Lab } from './lab.ts';

const unit = 'external-app';

/** Runs `python3 -m http.server` on the VM, from the home of the article's user, until it is stopped. */
export async function startHttpServer(lab: Lab): Promise<void> {
  if (await httpServerRuns(lab)) return;
  const { vm } = lab;
  await vm.attempt(['systemctl', 'reset-failed', unit]);
  await vm.run([
    ...['systemd-run', '--quiet', `--unit=${unit}`, '--uid=ubuntu', '--working-directory=/home/ubuntu'],
    ...['--setenv=PYTHONUNBUFFERED=1', 'python3', '-m', 'http.server'],
  ]);
}

export async function httpServerRuns({ vm }: Lab): Promise<boolean> {
  return (await vm.attempt(['systemctl', 'is-active', '--quiet', unit])).code === 0;
}

export async function stopHttpServer({ vm }: Lab): Promise<void> {
  await vm.attempt(['systemctl', 'stop', unit]);
}
