import path from 'node:path';

/** Paths below HIVE_HOME (INTERFACES "State folder"). */
export class HiveHome {
  readonly root: string;
  readonly agents: string;
  readonly applied: string;
  readonly meta: string;
  readonly shared: string;
  readonly docs: string;
  readonly secrets: string;
  readonly agentSecrets: string;
  readonly agentLogs: string;
  /** Root folders of the agents' containers. */
  readonly containers: string;
  readonly operatorToken: string;

  constructor(home: string) {
    this.root = path.resolve(home);
    this.agents = path.join(this.root, 'agents');
    this.applied = path.join(this.root, 'applied');
    this.meta = path.join(this.root, 'meta');
    this.shared = path.join(this.root, 'shared');
    this.docs = path.join(this.root, 'docs');
    this.secrets = path.join(this.root, 'secrets');
    this.agentSecrets = path.join(this.secrets, 'agents');
    this.agentLogs = path.join(this.root, 'logs', 'agents');
    this.containers = path.join(this.root, 'containers');
    this.operatorToken = path.join(this.secrets, 'operator-token');
  }

  /** `folder` is the agent's name, or where the folders of a destroyed one were moved to. */
  agent(folder: string): AgentPaths {
    const root = path.join(this.agents, folder);
    return {
      root,
      state: path.join(root, 'state'),
      home: path.join(root, 'home'),
      work: path.join(root, 'home', '.hive'),
      config: path.join(root, 'config'),
      run: path.join(root, 'run'),
      token: path.join(root, 'run', 'token'),
      harnessConfig: path.join(root, 'harness.json'),
      egress: path.join(root, 'egress.json'),
      applied: path.join(this.applied, folder),
    };
  }

  /** Where an agent's harness writes its stdout and stderr. */
  log(name: string): string {
    return path.join(this.agentLogs, `${name}.log`);
  }
}

export interface AgentPaths {
  /** Owned by root, entered by all: what lies in it cannot be replaced by the agent. */
  root: string;
  state: string;
  home: string;
  /** The harness's private folder: pid file, run tokens, unsent ends. */
  work: string;
  /** The proposed config repository. */
  config: string;
  /** Owned by the gateway, which keeps its socket for the agent here. */
  run: string;
  token: string;
  harnessConfig: string;
  /** Where its network may lead; the gateway reads it. */
  egress: string;
  /** The deployed config tree with its repository. */
  applied: string;
}
