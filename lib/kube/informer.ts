import { messageOf } from '#lib/base/errors.ts';
import { minutes, until } from '#lib/base/until.ts';
import type { Connection } from './connection.ts';

/** What every object has, as far as a cache needs it. */
export interface Cached {
  metadata: { name: string; namespace?: string; uid?: string; resourceVersion?: string };
}

/** A cache of one kind of object that follows the API server. */
export interface Informer<T extends Cached> {
  /** Whether the objects were listed at least once. */
  synced(): boolean;
  objects(): T[];
}

export interface InformerOptions {
  /** Where the kind is listed, such as /api/v1/pods. */
  path: string;
  /** Called after each change of the cache, and after each listing. */
  changed: () => void;
  /** Told once for each time that the API server goes away. */
  log: (text: string) => void;
  signal: AbortSignal;
}

/** The longest patience that a timer can hold, 24 days: as good as for ever. */
const forever = 2 ** 31 - 1;

/**
 * Lists a kind of object and then follows its changes, over restarts of the API server, until the signal.
 * It may be started before the API server answers.
 */
export function informer<T extends Cached>(
  api: Connection,
  { path, changed, log, signal }: InformerOptions,
  ask: Ask = askApiServer(api),
): Informer<T> {
  let cache: Map<string, T> | undefined;
  let version: string | undefined;
  let away = false;

  const list = async (): Promise<void> => {
    const { items, metadata } = await read<List<T>>(ask, path, signal);
    cache = new Map(items.map((item) => [keyOf(item), item]));
    version = metadata.resourceVersion;
    if (away) log(`${path} is listed again`);
    away = false;
    changed();
  };

  const take = (line: string): void => {
    const { type, object } = JSON.parse(line) as {
      type: string;
      object: T & { code?: number; message?: string };
    };
    if (type === 'ERROR') {
      version = undefined;
      throw new Error(`the watch ended with ${String(object.code)} ${object.message ?? ''}`);
    }
    version = object.metadata.resourceVersion ?? version;
    if (type === 'BOOKMARK') return;
    if (type === 'DELETED') cache?.delete(keyOf(object));
    else cache?.set(keyOf(object), object);
    changed();
  };

  const follow = async (): Promise<void> => {
    if (version === undefined) await list();
    const query = new URLSearchParams({
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: version ?? '',
      timeoutSeconds: String(minutes(10) / 1000),
    });
    await ask(`${path}?${query.toString()}`, signal, take);
  };

  void until(
    `the end of the watch of ${path}`,
    async () => {
      if (signal.aborted) return true;
      await follow().catch((error: unknown) => {
        if (signal.aborted) return;
        // what was missed meanwhile is only known from a new list
        version = undefined;
        if (!away) log(`${path} cannot be followed, will be listed again: ${messageOf(error)}`);
        away = true;
      });
      return signal.aborted;
    },
    (ended) => ended,
    { within: forever, every: 200 },
  );
  return { synced: () => cache !== undefined, objects: () => [...(cache?.values() ?? [])] };
}

const keyOf = ({ metadata: { name, namespace } }: Cached): string => `${namespace ?? ''}/${name}`;

interface List<T> {
  items: T[];
  metadata: { resourceVersion: string };
}

async function read<T>(ask: Ask, path: string, signal: AbortSignal): Promise<T> {
  let body = '';
  await ask(path, signal, (line) => (body += line));
  return JSON.parse(body) as T;
}

/** Asks for a path and hands over the answer line by line, until it ends. */
export type Ask = (path: string, signal: AbortSignal, each: (line: string) => void) => Promise<void>;

function askApiServer(api: Connection): Ask {
  return async (path, signal, each) => {
    let rest = '';
    for await (const part of (await api.get(path, signal)) as AsyncIterable<string>) {
      const whole = (rest + part).split('\n');
      rest = whole.pop() ?? '';
      for (const line of whole) each(line);
    }
    if (rest) each(rest);
  };
}
