/** Said before a compaction, so that what only the conversation holds is not lost with it (PRODUCT 5.3). */
export const CHECKPOINT_PROMPT = `The hive is about to compact this session: a summary will replace the conversation so far. No new message came.

Write into a file in your state folder, now and briefly: what you are working on and how far it is, decisions and facts that you found out and still need, whom you owe an answer, which files matter. Then end this turn. Send no messages and start no new work.`;
