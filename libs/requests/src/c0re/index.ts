export {
  ApprovalQuery,
  ApprovalsQuery,
  ApproveRequest,
  AuditQuery,
  ConfigDiffQuery,
  ConfigFileQuery,
  DenyRequest,
  ManagerCancelRequest,
  ManagerCommitRequest,
  ManagerInputsRequest,
  ManagerNameRequest,
  ManagerVerbRequest,
  UpdateMetaInputsRequest,
} from './approvals.dto.js';
export {
  JournalQuery,
  LoginRequest,
  OperationRequest,
  OperationsQuery,
  SpawnRequest,
  WaitQuery,
} from './requests.dto.js';
export {
  C0RE_PEERS,
  C0RE_ROUTES,
  type C0rePeer,
  type C0reRoute,
  type C0reRouteName,
} from './routes.js';
