import type { Readable } from 'node:stream';
import type { Size } from '#lib/base/settings.ts';

/** What backs the stand-in's instances. Names are the instances'. */
export interface Backend {
  /** Boots a machine; only then is it asked for more. */
  launch(name: string, size: Size): Promise<void>;
  start(name: string): Promise<void>;
  stop(name: string): Promise<void>;
  restart(name: string): Promise<void>;
  remove(name: string): Promise<void>;
  /** Runs a command as root; its exit status is the answer. */
  exec(name: string, words: readonly string[], streams: Streams): Promise<number>;
  /** Writes a file. */
  put(name: string, path: string, content: Uint8Array): Promise<void>;
  /** Of a machine that is stopped; a backend may have no such thing. */
  snapshot?(name: string, label: string): Promise<void>;
  restore?(name: string, label: string): Promise<void>;
  address(name: string): Promise<string>;
  size(name: string): Promise<Size>;
}

export interface Streams {
  input: Readable;
  out: (bytes: Uint8Array) => void;
  err: (bytes: Uint8Array) => void;
}
