import { Command, CommanderError } from 'commander';

import { addAgentCommands } from './commands/agents.commands.js';
import { addApprovalCommands } from './commands/approvals.commands.js';
import type { Context } from './commands/context.js';
import { addConversationCommands } from './commands/conversations.commands.js';
import { addDeliveryCommands } from './commands/deliveries.commands.js';
import { addHiveCommands } from './commands/hive.commands.js';
import { addLifeCommands } from './commands/lives.commands.js';
import { addMessageCommands } from './commands/message.commands.js';
import { addQuestionCommands } from './commands/questions.commands.js';
import { addReminderCommands } from './commands/reminders.commands.js';
import { addStatsCommands } from './commands/stats.commands.js';
import { CommandFailure, EXIT, type ExitCode } from './exit-codes.js';

/** Runs one `hive` command. Returns its exit code; whatever goes wrong is said on the error output. */
export async function run(args: readonly string[], context: Context): Promise<ExitCode> {
  const { terminal } = context;
  const program = new Command('hive')
    .description('Works a running hive as its operator.')
    .configureOutput({
      writeOut: (text) => terminal.out(text.trimEnd()),
      writeErr: (text) => terminal.err(text.trimEnd()),
    })
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('`hive help` and `hive help COMMAND` say more')
    .addHelpText('after', HELP)
    .exitOverride();
  addHiveCommands(program, context);
  addAgentCommands(program, context);
  addApprovalCommands(program, context);
  addLifeCommands(program, context);
  addMessageCommands(program, context);
  addConversationCommands(program, context);
  addQuestionCommands(program, context);
  addReminderCommands(program, context);
  addDeliveryCommands(program, context);
  addStatsCommands(program, context);
  for (const command of program.commands) command.copyInheritedSettings(program);
  try {
    await program.parseAsync(args, { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    return report(error, args.includes('--json'), context);
  }
}

function report(error: unknown, json: boolean, { terminal }: Context): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const failure =
    error instanceof CommandFailure
      ? error
      : new CommandFailure(EXIT.failed, `hive broke: ${(error as Error).stack ?? String(error)}`);
  const { code, message, details } = failure;
  const body = { error: { code, message, ...(details === undefined ? {} : { details }) } };
  terminal.err(json ? JSON.stringify(body, null, 2) : `hive: ${message}`);
  return failure.exitCode;
}

const HELP = `
Exit codes: 0 done, 1 failed or refused, 2 wrong usage, 3 the hive is not running.
Environment: HIVE_HOME (the state folder), HIVE_OPERATOR_TOKEN (else secrets/operator-token).`;
