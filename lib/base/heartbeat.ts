/** Calls `beat` every `every` milliseconds until the returned function is called; keeps no process alive. */
export function heartbeat(every: number, beat: () => void): () => void {
  const timer = setInterval(beat, every);
  timer.unref();
  return () => {
    clearInterval(timer);
  };
}
