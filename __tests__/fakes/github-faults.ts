/** Every way in which GitHub can fail to answer a request. */
import type { Fault } from './github.ts'

const SECONDARY = 'You have exceeded a secondary rate limit'
/** Those called `once` pass when the request is made again. */
export const FAULTS: Readonly<Record<string, Omit<Fault, 'operation'>>> = {
  401: { kind: 'status', status: 401, message: 'Bad credentials' },
  403: { kind: 'status', status: 403, message: 'Resource not accessible by integration' },
  404: { kind: 'status', status: 404, message: 'Not Found' },
  422: { kind: 'status', status: 422, message: 'Validation Failed' },
  '429 for a minute': { kind: 'status', status: 429, message: 'Too many', headers: { 'retry-after': '60' } },
  '429 for a second, once': { kind: 'status', status: 429, headers: { 'retry-after': '1' }, times: 1 },
  'secondary limit': { kind: 'status', status: 403, message: SECONDARY, headers: { 'retry-after': '60' } },
  'secondary limit, once': {
    kind: 'status',
    status: 403,
    message: SECONDARY,
    headers: { 'retry-after': '1' },
    times: 1,
  },
  500: { kind: 'status', status: 500 },
  '503, once': { kind: 'status', status: 503, times: 1 },
  reset: { kind: 'reset' },
  'lost answer, once': { kind: 'lost-answer', times: 1 },
  hang: { kind: 'hang' },
}
