import { statSync } from 'node:fs';
import { RefusedError } from '#lib/base/errors.ts';
import { exists } from '#lib/base/files.ts';

/** A machine that somebody else made, and how ssh gets into it. */
export interface SshTarget {
  user: string;
  host: string;
  port: number;
}

/** What the provider `existing` is told by its user. */
export interface ExistingSettings {
  /** The kubeconfig of a cluster that somebody else made, and one of its contexts unless it is the current one. */
  kubeconfig: string | undefined;
  context: string | undefined;
  vms: readonly SshTarget[];
  /** A private key; without one ssh finds its own. */
  key: string | undefined;
  /** Whose host keys are believed; without one those that ssh knows. */
  knownHosts: string | undefined;
  /** Whether the plan may be carried out. */
  yes: boolean;
  /** What is done about a mesh that the harness did not make. */
  mesh: 'refuse' | 'use';
  /** Whether this host may send requests to the VM and to the gateways, as one that is neither node nor pod. */
  bystander: 'here' | 'none';
}

/**
 * The settings EXISTING_KUBECONFIG (without it KUBECONFIG) and EXISTING_CONTEXT, EXISTING_VM (user@host:port, several
 * with commas), EXISTING_KEY, EXISTING_KNOWN_HOSTS, EXISTING_YES (yes or no), EXISTING_MESH (refuse or use) and
 * EXISTING_BYSTANDER (here or none).
 *
 * @throws RefusedError that names the setting, before anybody is asked anything
 */
export function existingSettings(env: NodeJS.ProcessEnv = process.env): ExistingSettings {
  const file = (name: string): string | undefined => {
    const path = env[name];
    if (!path) return undefined;
    if (!exists(path)) throw new RefusedError(`${name} names ${path}, and there is no such file.`);
    return path;
  };
  const oneOf = <const T extends string>(name: string, allowed: readonly T[], unset: T): T => {
    const value = env[name] || unset;
    const found = allowed.find((one) => one === value);
    if (found !== undefined) return found;
    throw new RefusedError(`${name} must be one of ${allowed.join(', ')}; got "${value}".`);
  };
  const vms = (env['EXISTING_VM'] ?? '')
    .split(',')
    .map((text) => text.trim())
    .filter(Boolean)
    .map(target);
  const key = file('EXISTING_KEY');
  if (key !== undefined && (statSync(key).mode & 0o077) !== 0)
    throw new RefusedError(`EXISTING_KEY names ${key}, which others may read: chmod 600 ${key}`);
  return {
    kubeconfig: env['EXISTING_KUBECONFIG'] || env['KUBECONFIG'] || undefined,
    context: env['EXISTING_CONTEXT'] || undefined,
    vms,
    key,
    knownHosts: file('EXISTING_KNOWN_HOSTS'),
    yes: oneOf('EXISTING_YES', ['yes', 'no'], 'no') === 'yes',
    mesh: oneOf('EXISTING_MESH', ['refuse', 'use'], 'refuse'),
    bystander: oneOf('EXISTING_BYSTANDER', ['here', 'none'], 'none'),
  };
}

function target(text: string): SshTarget {
  // a word that begins with a dash would be an option of ssh
  const [, user = '', host = '', port = '22'] =
    /^([a-z_][a-z0-9_.-]*)@([a-zA-Z0-9][a-zA-Z0-9.-]*)(?::(\d{1,5}))?$/.exec(text) ?? [];
  if (user === '' || Number(port) < 1 || Number(port) > 65_535)
    throw new RefusedError(`EXISTING_VM must be user@host or user@host:port, got "${text}".`);
  return { user, host, port: Number(port) };
}
