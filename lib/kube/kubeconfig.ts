import { KubeConfig } from '@kubernetes/client-node';
import { messageOf, RefusedError } from '#lib/base/errors.ts';
import { exists } from '#lib/base/files.ts';

/** One context of somebody's kubeconfig. */
export interface Context {
  name: string;
  /** The address of its API server. */
  server: string;
  /** A kubeconfig that has this context alone, as JSON; whoever has it has the cluster. */
  text: string;
}

/**
 * Takes one context out of a kubeconfig; nobody is asked anything.
 *
 * @param path of the file
 * @param wanted the context; the current one unless told
 * @throws RefusedError that says what the file lacks
 */
export function contextOf(path: string, wanted?: string): Context {
  if (!exists(path)) throw new RefusedError(`There is no kubeconfig ${path}.`);
  const config = new KubeConfig();
  try {
    config.loadFromFile(path);
  } catch (error) {
    // the parser shows the lines around a fault, which may be those of a key
    throw new RefusedError(`${path} is no kubeconfig: ${messageOf(error).split('\n')[0] ?? ''}`);
  }
  const names = config.getContexts().map(({ name }) => name);
  const name = wanted ?? config.getCurrentContext();
  if (!name || !names.includes(name)) {
    const has = `it has ${names.join(', ') || 'none'}`;
    throw new RefusedError(
      name
        ? `The kubeconfig ${path} has no context ${name}; ${has}.`
        : `The kubeconfig ${path} says of no context that it is the current one; ${has}.`,
    );
  }
  config.setCurrentContext(name);
  const [cluster, user] = [config.getCurrentCluster(), config.getCurrentUser()];
  if (!cluster?.server || !user) {
    const lacks = cluster?.server ? 'user' : 'cluster';
    throw new RefusedError(`The context ${name} of ${path} names a ${lacks} that the file does not have.`);
  }
  const one = new KubeConfig();
  const context = { name, cluster: cluster.name, user: user.name };
  one.loadFromOptions({ clusters: [cluster], users: [user], contexts: [context], currentContext: name });
  return { name, server: cluster.server, text: one.exportConfig() };
}
