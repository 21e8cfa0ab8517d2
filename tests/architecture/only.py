"""An import-linter contract that says what a package may import; everything else is forbidden."""

import sys

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output
from importlinter.application import contract_utils
from importlinter.application.contract_utils import AlertLevel
from importlinter.domain.helpers import module_expressions_to_modules


class OnlyContract(Contract):
    """`source_modules` import themselves, the standard library and `allowed_modules`, directly or not at all."""

    type_name = "only"

    source_modules = fields.SetField(subfield=fields.ModuleExpressionField())
    allowed_modules = fields.ListField(subfield=fields.StringField())
    ignore_imports = fields.SetField(subfield=fields.ImportExpressionField(), required=False)
    unmatched_ignore_imports_alerting = fields.EnumField(AlertLevel, default=AlertLevel.ERROR)

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        removed = contract_utils.remove_ignored_imports_and_report(
            graph=graph,
            ignore_imports=self.ignore_imports,
            unmatched_alerting=self.unmatched_ignore_imports_alerting,
        )
        illegal = sorted(
            (module, imported)
            for source in module_expressions_to_modules(graph, self.source_modules)
            for module in {source.name} | graph.find_descendants(source.name)
            for imported in graph.find_modules_directly_imported_by(module)
            if not self._may_import(source.name, imported)
        )
        return ContractCheck(kept=not illegal, warnings=list(removed.warnings), metadata={"illegal": illegal})

    def _may_import(self, source: str, imported: str) -> bool:
        if imported.partition(".")[0] in sys.stdlib_module_names:
            return True
        return any(f"{imported}.".startswith(f"{allowed}.") for allowed in [source, *self.allowed_modules])

    def render_broken_contract(self, check: ContractCheck) -> None:
        for module, imported in check.metadata["illegal"]:
            output.print_error(f"- {module} -> {imported}", bold=False)
