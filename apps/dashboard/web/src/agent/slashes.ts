import type { Slash } from '../conversations/composer.js';
import {
  agentKey,
  cancelTurn,
  changeModel,
  commandAgent,
  dismissAction,
  useActions,
} from '../hive/actions.js';
import { addTerminalNote } from './terminal/terminal-notes.js';

const HELP = `/cancel            interrupt the running turn; what it held waits until you go on
/cancel drop       interrupt it and drop what it held
/compact           compact the context before the next turn
/model NAME        another model from the next turn on
/new-session       forget the session; the next turn starts fresh
/help              this list
Anything else is a message to the agent. Shift+Enter makes a line.`;

/** Runs what the operator asked for, and writes into the terminal what came of it. */
async function noted(
  agent: string,
  verb: string,
  asked: string,
  done: string,
  run: () => Promise<boolean>,
): Promise<void> {
  addTerminalNote(agent, asked);
  if (await run()) {
    addTerminalNote(agent, done);
    return;
  }
  const key = agentKey(agent, verb);
  const action = useActions.getState().actions[key];
  if (action?.state !== 'failed') return;
  addTerminalNote(agent, action.error, 'bad');
  dismissAction(key);
}

/** The commands that the composer of an agent's page takes. Each returns what is wrong with its argument, if anything. */
export function slashesOf(agent: string): Slash[] {
  return [
    {
      name: 'cancel',
      hint: 'interrupt the running turn',
      run: (argument) => {
        if (argument !== '' && argument !== 'drop') return 'Write /cancel or /cancel drop.';
        const drop = argument === 'drop';
        void noted(
          agent,
          'cancel-turn',
          drop ? 'you cancel the turn and drop its messages' : 'you cancel the turn',
          'the turn is cancelled',
          () => cancelTurn(agent, drop),
        );
        return undefined;
      },
    },
    {
      name: 'compact',
      hint: 'compact the context before the next turn',
      run: () => {
        void noted(agent, 'compact', 'you ask to compact', 'compaction is queued', () =>
          commandAgent(agent, 'compact'),
        );
        return undefined;
      },
    },
    {
      name: 'model',
      hint: 'NAME: another model from the next turn on',
      run: (argument) => {
        if (!/^\S+$/.test(argument)) return 'Write /model and the name of one model.';
        void noted(
          agent,
          'model',
          `you choose the model ${argument}`,
          `the next turn runs on ${argument}`,
          () => changeModel(agent, argument),
        );
        return undefined;
      },
    },
    {
      name: 'new-session',
      hint: 'the next turn starts fresh',
      run: () => {
        void noted(
          agent,
          'new-session',
          'you ask for a new session',
          'the next turn starts fresh',
          () => commandAgent(agent, 'new-session'),
        );
        return undefined;
      },
    },
    {
      name: 'help',
      hint: 'what can be written here',
      run: () => {
        addTerminalNote(agent, HELP);
        return undefined;
      },
    },
  ];
}
