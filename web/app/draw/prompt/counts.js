// counts.js - how many tokens prompt and negative have for the model that is chosen, asked of the server a moment after
// the last change. An answer that is late is dropped; typing waits for nothing.
import { post } from '../../../lib/api.js';

const WAIT_MS = 150;
const ASKED = ['prompt', 'negative', 'model', 'profile', 'prompt_syntax', 'steps', 'embedding'];

/** settings(): what the form says now. tell(counts, error): counts null where there are none, and why.
 *  {ask(), end()} */
export function makeCounts(settings, tell) {
  let timer = 0;
  let flight = null;
  let asked = null;
  const send = async () => {
    const all = settings();
    const wanted = {};
    for (const key of ASKED) if (all[key] !== undefined) wanted[key] = all[key];
    const text = JSON.stringify(wanted);
    if (text === asked) return;
    asked = text;
    flight?.abort();
    const mine = (flight = new AbortController());
    try {
      const counts = await post('tokens', { settings: wanted }, mine.signal);
      if (mine === flight) tell(counts, null);
    } catch (error) {
      if (mine.signal.aborted || mine !== flight) return;
      asked = null;
      tell(null, error);
    }
  };
  return {
    ask: () => {
      clearTimeout(timer);
      timer = setTimeout(send, WAIT_MS);
    },
    end: () => {
      clearTimeout(timer);
      flight?.abort();
    },
  };
}
