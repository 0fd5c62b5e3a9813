import type { Host } from './host.ts';

/** How to come by modules of the kernel that could not be used. @param names such as xt_owner */
export function mendModules(host: Host, names: readonly string[]): string {
  const modules = [...new Set(names.flatMap((name) => name.split(' ')))];
  const files = host.read(`/lib/modules/${host.kernel}/modules.dep`);
  const absent = modules.filter((name) => !new RegExp(`/${name}\\.ko`, 'm').test(files ?? ''));
  if (absent.length === 0) return `modprobe -a ${modules.join(' ')}`;
  if (files !== undefined && /^ID="?ubuntu/m.test(host.osRelease))
    return `apt-get install linux-modules-extra-${host.kernel} && modprobe -a ${modules.join(' ')}`;
  return `boot a kernel with ${absent.join(', ')} (${host.kernel} has no such module)`;
}
