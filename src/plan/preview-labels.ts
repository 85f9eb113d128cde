/** The id of the repository, in digits. */
export const PREVIEW_REPOSITORY_LABEL = 'rollsafe.dev/preview-repository'
/** The number of the pull request, in digits. */
export const PREVIEW_PULL_REQUEST_LABEL = 'rollsafe.dev/preview-pull-request'
/** The head commit; of 64 digits the first 63, as a label has no room for more. */
export const PREVIEW_HEAD_LABEL = 'rollsafe.dev/preview-head'
/** When it is over, in UTC and in the basic form of ISO 8601, as a label has no colons: `20261201T143000Z`. */
export const PREVIEW_EXPIRY_LABEL = 'rollsafe.dev/preview-expires-at'
