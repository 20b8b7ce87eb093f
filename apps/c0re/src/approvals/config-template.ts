/** The agent.yaml that an approved request_init_config begins a config repository with, and a spawn without one uses. */
export function configTemplate(name: string): string {
  return `# Configuration of ${name}. Every key is optional; unknown keys are refused.
role: agent
driver: claude
model: sonnet
# Appended to the hive's own system prompt: who ${name} is, and what it works on.
system_prompt: |
  You are ${name}.
# Whom it may write to; empty: everyone.
allowed_recipients: []
limits:
  turn_seconds: 3600
`;
}
