export { HttpSocketClient, type HttpSocketCall } from './http-client.js';
export { newRequestId } from './request-id.js';
export { registryDigest } from './registry-digest.js';
export { RpcClient, type RpcClientOptions } from './rpc-client.js';
export {
  RpcPeer,
  type CallContext,
  type CallSignal,
  type RpcApi,
  type RpcHandlers,
} from './rpc-peer.js';
export { RpcServer, type RpcServerOptions } from './rpc-server.js';
export { SOCKETS, SOCKET_PATH_BYTES, socketPath } from './socket-path.js';
