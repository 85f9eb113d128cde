import { type ReasonCode, RejectedError } from '../../errors.ts'

/** A digest that cannot be had, as the one problem of a rejection. */
export function refusal(message: string, hint: string, code: ReasonCode = 'ImagePull'): RejectedError {
  return new RejectedError([{ code, message, hint }])
}
