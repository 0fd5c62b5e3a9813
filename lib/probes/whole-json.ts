const asks = 3;

/**
 * What somebody tells as JSON. `kubectl exec` now and then loses the end of what a command wrote and reports success all
 * the same (kubernetes/kubernetes#124571); JSON shows that, so he is asked again. Only for what asking does not change.
 *
 * @param who for the message
 * @throws Error when every answer ended early
 */
export async function wholeJson<T>(who: string, ask: () => Promise<string>): Promise<T> {
  let text = '';
  for (let asked = 0; asked < asks; asked += 1) {
    text = await ask();
    try {
      return JSON.parse(text) as T;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
  }
  const end = text === '' ? 'nothing' : `${String(text.length)} characters that end in ${text.slice(-40)}`;
  throw new Error(`${who} did not answer with whole JSON, asked ${String(asks)} times: it told ${end}`);
}
