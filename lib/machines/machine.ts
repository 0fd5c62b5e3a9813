import type { Output, RunOptions } from '#lib/base/command.ts';
import type { Size } from '#lib/base/settings.ts';

export interface FileOptions {
  mode?: number;
  /** user or user:group */
  owner?: string;
}

/** A node of the cluster, or the external VM. Every method throws CommandError with what the machine said. */
export interface Machine {
  readonly name: string;
  /** The IPv4 address on the lab's network, asked for anew each time. */
  address(): Promise<string>;
  /** Runs a command as root; an exit status other than 0 throws. */
  run(words: readonly string[], options?: RunOptions): Promise<Output>;
  /** Runs a command as root; its exit status is an answer. */
  attempt(words: readonly string[], options?: RunOptions): Promise<Output>;
  write(path: string, content: string | Uint8Array, options?: FileOptions): Promise<void>;
  /** The content of a file, from a byte on (the first, unless told). */
  read(path: string, from?: number): Promise<string>;
  /** Copies a file of any size. */
  upload(localPath: string, remotePath: string, options?: FileOptions): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
  restart(): Promise<void>;
  /** The size that the machine really has, measured. */
  size(): Promise<Size>;
}
