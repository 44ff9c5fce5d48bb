"""The functions that a template of Nomad's may call, and since which version where that is known. Pure data.

Source: hashicorp/consul-template v0.42.1, template/template.go (funcMap), as Nomad 2.0.5 has it; Masterminds/sprig
v3.3.0, HermeticTxtFuncMap, each as sprig_…; Go's text/template (builtins). Versions: Nomad's go.mod at its tags beside
consul-template's CHANGELOG.
"""

from __future__ import annotations

import re


def _names(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text))


_OF_GO = _names(
    """
    and break call continue eq ge gt html index js le len lt ne not or print printf println slice urlquery
    """
)
_OF_CONSUL_TEMPLATE = _names(
    """
    add base64Decode base64Encode base64URLDecode base64URLEncode byKey byMeta byPort byTag caLeaf caRoots connect
    contains containsAll containsAny containsNone containsNotAll datacenters divide env envOrDefault
    executeTemplate explode explodeMap exportedServices file hmacSHA256Hex importedServices in indent join key
    keyExists keyOrDefault loop ls maximum md5sum mergeMap mergeMapWithOverride minimum modulo multiply mustEnv
    node nodes nomadService nomadServices nomadVar nomadVarExists nomadVarList nomadVarListSafe parseBool
    parseFloat parseInt parseJSON parseUint parseYAML partitions peerings pkiCert plugin regexMatch
    regexReplaceAll replaceAll safeLs safeTree scratch secret secrets service services sha256Hex sockaddr
    spew_dump spew_printf spew_sdump spew_sprintf split splitToMap subtract timestamp toJSON toJSONPretty toLower
    toTOML toTitle toUnescapedJSON toUnescapedJSONPretty toUpper toYAML tree trim trimPrefix trimSpace trimSuffix
    writeToFile
    """
)
_OF_SPRIG = _names(
    """
    abbrev abbrevboth add add1 add1f addf adler32sum ago all any append atoi b32dec b32enc b64dec b64enc base
    bcrypt biggest buildCustomCert camelcase cat ceil chunk clean coalesce compact concat contains decryptAES
    deepCopy deepEqual default derivePassword dict dig dir div divf duration durationRound empty encryptAES ext
    fail first float64 floor fromJson genCA genCAWithKey genPrivateKey genSelfSignedCert genSelfSignedCertWithKey
    genSignedCert genSignedCertWithKey get has hasKey hasPrefix hasSuffix hello htpasswd indent initial initials
    int int64 isAbs join kebabcase keys kindIs kindOf last list lower max maxf merge mergeOverwrite min minf mod
    mul mulf mustAppend mustChunk mustCompact mustDateModify mustDeepCopy mustFirst mustFromJson mustHas
    mustInitial mustLast mustMerge mustMergeOverwrite mustPrepend mustPush mustRegexFind mustRegexFindAll
    mustRegexMatch mustRegexReplaceAll mustRegexReplaceAllLiteral mustRegexSplit mustRest mustReverse mustSlice
    mustToDate mustToJson mustToPrettyJson mustToRawJson mustUniq mustWithout must_date_modify nindent nospace
    omit osBase osClean osDir osExt osIsAbs pick pluck plural prepend push quote randInt regexFind regexFindAll
    regexMatch regexQuoteMeta regexReplaceAll regexReplaceAllLiteral regexSplit repeat replace rest reverse round
    semver semverCompare seq set sha1sum sha256sum sha512sum shuffle slice snakecase sortAlpha split splitList
    splitn squote sub subf substr swapcase ternary title toDate toDecimal toJson toPrettyJson toRawJson toString
    toStrings trim trimAll trimPrefix trimSuffix trimall trunc tuple typeIs typeIsLike typeOf uniq unixEpoch unset
    until untilStep untitle upper urlJoin urlParse values without wrap wrapWith
    """
)
FUNCTIONS = _OF_GO | _OF_CONSUL_TEMPLATE | {f"sprig_{name}" for name in _OF_SPRIG}

# Clients have them only where `function_denylist` is set anew. Source: client/config/config.go.
DENIED = frozenset({"executeTemplate", "plugin", "writeToFile"})

Version = tuple[int, int, int]
_WITH_SPRIG = _names(
    "envOrDefault md5sum mergeMap mergeMapWithOverride pkiCert trim trimPrefix trimSuffix trimSpace "
    "spew_dump spew_printf spew_sdump spew_sprintf"
)
# Of each branch of Nomad's the first release with it; a branch that is newer than all of them has it, an older one not.
_SINCE: dict[str, tuple[Version, ...]] = {
    **dict.fromkeys(_WITH_SPRIG, ((1, 3, 0),)),
    "mustEnv": ((1, 4, 2),),
    "splitToMap": ((1, 4, 2),),
    "hmacSHA256Hex": ((1, 5, 11), (1, 6, 4), (1, 7, 0)),
    "importedServices": ((1, 10, 8), (1, 11, 2)),
}


def since(function: str) -> tuple[Version, ...]:
    """Empty where every Nomad has it, or nobody knows."""
    return ((1, 3, 0),) if function.startswith("sprig_") else _SINCE.get(function, ())


def lacks(version: Version, function: str) -> bool:
    """Whether this version of Nomad is known not to have it."""
    first = since(function)
    same = [one for one in first if one[:2] == version[:2]]
    return bool(first) and (version < same[0] if same else version < max(first))
