// choices.js - choices on their way to the server, one after the other; without a connection they wait and are sent again.
import { post } from '../../lib/api.js';

const AGAIN_MS = 2000;

/** tell(n, sentence): how many are not saved yet, and what the server refused (null: nothing).
 *  {choose(winner, loser), undo(winner, loser), end()} */
export function makeSender(tell) {
  const waiting = [];
  let isSending = false;
  let timer = 0;
  const send = async () => {
    if (isSending) return;
    isSending = true;
    while (waiting.length) {
      const { path, body } = waiting[0];
      try {
        await post(path, body);
        waiting.shift();
        tell(waiting.length, null);
      } catch (error) {
        if (!error.code || error.code >= 500) break;
        waiting.shift();
        tell(waiting.length, error.message);
      }
    }
    isSending = false;
    clearTimeout(timer);
    if (waiting.length) timer = setTimeout(send, AGAIN_MS);
  };
  const put = (path, winner, loser) => {
    waiting.push({ path, body: { winner, loser } });
    tell(waiting.length, null);
    send();
  };
  return {
    choose: (winner, loser) => put('duel', winner, loser),
    undo: (winner, loser) => put('duel/undo', winner, loser),
  };
}
