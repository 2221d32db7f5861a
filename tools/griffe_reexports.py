"""Tell the API pages that `from ._mesh import MeshSDF as MeshSDF` in a package makes a name public."""

from typing import Any

import griffe


class Reexports(griffe.Extension):
    """Marks what a package's `__init__` imports from its own private modules."""

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        self._mark(pkg, pkg.path + ".")

    def _mark(self, module: griffe.Module, prefix: str) -> None:
        for name, member in module.members.items():
            if member.is_alias:
                if module.is_init_module and member.target_path.startswith(prefix) and name[0] != "_":
                    member.public = True
            elif member.is_module:
                self._mark(member, prefix)
