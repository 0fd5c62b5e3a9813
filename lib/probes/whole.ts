const asks = 3;

/**
 * What somebody answers, asked again when it is not whole: `kubectl exec` now and then loses the end of what a command
 * wrote, or its exit status, and reports success all the same (kubernetes/kubernetes#124571; seen in 3 of 2100 on a busy
 * machine, websockets or not). It is the way to the command that failed then, not what the command was asked to look at.
 *
 * @returns the first whole answer, or the last one
 */
export async function wholeAnswer<T>(ask: () => Promise<T>, whole: (answer: T) => boolean): Promise<T> {
  let answer = await ask();
  for (let asked = 1; asked < asks && !whole(answer); asked += 1) answer = await ask();
  return answer;
}

/**
 * What somebody tells as JSON. Only for what asking does not change.
 *
 * @param who for the message
 * @throws Error when every answer ended early
 */
export async function wholeJson<T>(who: string, ask: () => Promise<string>): Promise<T> {
  const text = await wholeAnswer(ask, isJson);
  if (isJson(text)) return JSON.parse(text) as T;
  const end = text === '' ? 'nothing' : `${String(text.length)} characters that end in ${text.slice(-40)}`;
  throw new Error(`${who} did not answer with whole JSON, asked ${String(asks)} times: it told ${end}`);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
