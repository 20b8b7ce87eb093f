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
  PurgeRequest,
  ReviveRequest,
  SpawnRequest,
  StateFileQuery,
  WaitingOperationsQuery,
  WaitQuery,
} from './requests.dto.js';
export { C0RE_PEERS, type C0rePeer, type C0reRoute } from './route.js';
export { C0RE_ROUTES, type C0reRouteName } from './routes.js';
